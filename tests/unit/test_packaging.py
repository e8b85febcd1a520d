"""The installed package holds what its code reads, also where that lies outside of the packages."""

import tomllib
from pathlib import Path
from typing import Final

from shared.eventlog.streams import DECLARATION

ROOT: Final = Path(__file__).resolve().parents[2]


def test_the_declaration_of_the_streams_is_installed_where_it_is_looked_for():
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    place = str(DECLARATION.relative_to(ROOT))
    assert built["force-include"].get(place) == place
