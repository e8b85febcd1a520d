"""The table of a read model: the .sql file beside its module."""

from pathlib import Path


def ddl_beside(module: str) -> str:
    """Return the text of the .sql file named like the module whose `__file__` is given."""
    return Path(module).with_suffix(".sql").read_text(encoding="utf-8")
