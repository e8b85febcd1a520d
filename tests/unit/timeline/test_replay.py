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
from shared.projections.projection import AnyProjection
from shared.projections.table import Table, key_of
from tests.unit.timeline.rows import folded
from tests.unit.timeline.story import ROBIN, SITE, story

MODELS = projections(SITE)
SAMPLES: list[EventData] = [
    REGISTRY.decode(path.read_bytes()).data
    for path in sorted(schemas.SAMPLES.glob("*.json"))
    if IdentifierClaimed.__name__ not in path.name
]
HISTORIES = st.lists(st.sampled_from(SAMPLES), max_size=60)


def rows(projection: AnyProjection, events: Sequence[Recorded]) -> dict[object, Struct]:
    return {key_of(projection, row): row for row in folded(projection, events, ROBIN)}


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
    columns = [column.name for column in table.columns]
    stored = [_read_back(table, columns, row) for row in folded(model, events[:at], ROBIN)]
    return {key_of(model, row): row for row in folded(model, events[at:], ROBIN, stored)}


def _read_back(table: Table[Struct], columns: list[str], row: Struct) -> Struct:
    values: dict[str, object] = dict(zip(columns, table.record_of(row), strict=True))
    return table.row_of(values)  # pyright: ignore[reportArgumentType] -- a record is read by its names only
