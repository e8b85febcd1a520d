"""The services of Throughcare; none imports another, the console composes them."""
