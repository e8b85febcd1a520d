"""The schema `log`, brought up to date in order; what ran is recorded."""

from importlib.resources import files

from shared.projections.postgres import Connection
from shared.projections.queries import sql


async def migrate(connection: Connection) -> list[str]:
    """Apply the migrations that have not run, in one transaction; returns their names. Safe at any time."""
    async with connection.transaction():
        await connection.execute(sql("lock_migrations"))
        await connection.execute(sql("add_migration_table"))
        applied = {row["name"] for row in await connection.fetch(sql("applied_migrations"))}
        waiting = [name for name in _migrations() if name not in applied]
        for name in waiting:
            await connection.execute(_migrations()[name])
            await connection.execute(sql("record_migration"), name)
    return waiting


def _migrations() -> dict[str, str]:
    folder = files("shared.projections").joinpath("migrations")
    texts = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}
    return {name: texts[name] for name in sorted(texts) if name.endswith(".sql")}
