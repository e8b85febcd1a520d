"""The demo: real servers, every service, and a synthetic cohort that comes in through the front doors."""
