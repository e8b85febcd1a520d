"""One part at a time on a real nats-server and a real Postgres."""
