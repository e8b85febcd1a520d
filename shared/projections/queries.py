"""The SQL of this package, by the name it has in `queries.sql`."""

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def sql(name: str) -> str:
    """Return the statement of a name; KeyError where there is none."""
    return _statements()[name]


@cache
def _statements() -> dict[str, str]:
    text = files("shared.projections").joinpath("queries.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return {name: statement.strip() for name, statement in zip(parts[::2], parts[1::2], strict=True)}
