"""The bare pipeline: the same processes, hops, payloads and settings as ours, and nothing else in them."""
