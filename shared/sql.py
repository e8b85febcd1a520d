"""SQL kept in .sql files: each statement under `-- name: …`, then a sentence that says what it is for."""

import re
from collections.abc import Mapping
from pathlib import Path

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def statements(file: Path) -> Mapping[str, str]:
    """Return the statements of a file by their names."""
    parts = _NAME.split(file.read_text(encoding="utf-8"))[1:]
    return {name: statement.strip() for name, statement in zip(parts[::2], parts[1::2], strict=True)}
