"""Throughcare measured against bare nats-py and asyncpg doing the same writes."""
