"""The hospital edge as deployed: a process of its own before a real nats-server."""
