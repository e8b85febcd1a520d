"""How fast the system is, as ratios to what plain nats-py and asyncpg do on the same servers."""
