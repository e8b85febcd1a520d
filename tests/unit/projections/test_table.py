from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from shared.projections.projection import Projection
from shared.projections.table import Table


class Colour(StrEnum):
    RED = "red"


class Step(Struct, frozen=True):
    level: str
    at: datetime | None = None


class Row(Struct, frozen=True, kw_only=True):
    participant: UUID
    text: str | None
    number: int
    yes: bool
    day: date | None
    at: datetime
    words: tuple[str, ...]
    word: Literal["a", "b"]
    colour: Colour | None
    step: Step | None
    steps: tuple[Step, ...]
    counts: dict[str, int]


ROW = Row(
    participant=UUID(int=1),
    text=None,
    number=3,
    yes=True,
    day=date(2026, 3, 3),
    at=datetime(2026, 3, 3, tzinfo=UTC),
    words=("a", "b"),
    word="a",
    colour=Colour.RED,
    step=Step("2.1", datetime(2026, 3, 3, tzinfo=UTC)),
    steps=(Step("2.1"),),
    counts={"b": 1, "a": 2},
)


def table() -> "Table[Row]":
    projection: Projection[Row] = Projection(
        "rows", 1, Row, ("participant",), "", frozenset(), lambda _rows, _recorded: None
    )
    return Table(projection, "read_7")


def test_a_nested_value_is_json_and_everything_else_a_column_of_its_kind() -> None:
    record = dict(zip(Row.__struct_fields__, table().record_of(ROW), strict=True))
    assert record["words"] is ROW.words
    assert record["colour"] == "red"
    assert record["step"] == '{"level":"2.1","at":"2026-03-03T00:00:00Z"}'
    assert record["counts"] == '{"b":1,"a":2}'
    assert record["at"] is ROW.at
    assert record["text"] is None


def test_a_row_read_back_is_the_row_that_was_written() -> None:
    record: Any = dict(zip(Row.__struct_fields__, table().record_of(ROW), strict=True))
    assert table().row_of(record) == ROW
