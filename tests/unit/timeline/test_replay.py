"""Rows depend on the events alone: from scratch, in batches, or read back from columns, they are the same."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from services.timeline.read_models import projections
from shared.events import schemas
from shared.events.base import EventData
from shared.events.envelope import Recorded
from shared.events.identity import IdentifierClaimed
from shared.events.registry import REGISTRY
from shared.projections.fold import Fold, FoldedTable, rows_of
from shared.projections.projection import AnyProjection
from shared.projections.table import Table, key_of
from tests.unit.timeline.story import ROBIN, SITE, folded, story

MODELS = projections(SITE)
SAMPLES: list[EventData] = [
    REGISTRY.decode(path.read_bytes()).data
    for path in sorted(schemas.SAMPLES.glob("*.json"))
    if IdentifierClaimed.__name__ not in path.name
]
HISTORIES = st.lists(st.sampled_from(SAMPLES), max_size=60)


def rows(projection: AnyProjection, events: Sequence[Recorded]) -> dict[object, Struct]:
    return {key_of(projection, row): row for row in folded(projection, events)}


@settings(max_examples=60, deadline=None)
@given(HISTORIES)
def test_any_history_can_be_folded_and_gives_the_same_rows_again(history: list[EventData]):
    events = story(*history).events
    for model in MODELS:
        assert rows(model, events) == rows(model, events)


@settings(max_examples=60, deadline=None)
@given(HISTORIES, st.integers(0, 60))
def test_a_batch_goes_on_from_the_rows_that_the_columns_hold(history: list[EventData], at: int):
    events = story(*history).events
    for model in MODELS:
        assert _in_two_batches(model, events, at) == rows(model, events), model.name


def _in_two_batches(model: AnyProjection, events: Sequence[Recorded], at: int) -> dict[object, Struct]:
    table = Table(model, "read")
    first = folded(model, events[:at])
    columns = [column.name for column in table.columns]
    stored = [_read_back(table, columns, row) for row in first]
    fold = Fold((model,))
    (into,) = fold.tables
    if not model.append_only:
        _store(into, stored)
    for event in events[at:]:
        assert fold.apply(event) is None
    second = rows_of(fold, model, ROBIN)
    every = [*stored, *second] if model.append_only else second
    return {key_of(model, row): row for row in every}


def _read_back(table: Table[Struct], columns: list[str], row: Struct) -> Struct:
    values: dict[str, object] = dict(zip(columns, table.record_of(row), strict=True))
    return table.row_of(values)  # pyright: ignore[reportArgumentType] -- a record is read by its names only


def _store(table: FoldedTable, stored: Sequence[Struct]) -> None:
    for row in stored:
        table.store(row)
