from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from shared.events.base import Demographics, EventData
from shared.events.envelope import Event, Position, Recorded
from shared.events.participant import DemographicsCorrected, ParticipantRegistered
from shared.projections.fold import Changes, Fold
from shared.projections.projection import Projection, Rows
from tests.integration.projections.cohort import START, envelope

ADA, BOB = UUID(int=1), UUID(int=2)


class Name(Struct, frozen=True, kw_only=True):
    participant: UUID
    name: str
    times: int = 1


class Seen(Struct, frozen=True, kw_only=True):
    participant: UUID
    seq: int


def names(rows: Rows[Name], recorded: Recorded) -> None:
    """Count each name; "forget" forgets them all; "fail" fails after it has changed something."""
    who = recorded.event.subject
    match recorded.event.data:
        case ParticipantRegistered(demographics=told) | DemographicsCorrected(demographics=told):
            family = told.family or ""
        case _:
            return
    if family == "forget":
        for row in rows.all():
            rows.remove(who, row.name)
        return
    before = rows.get(who, family)
    rows.put(Name(participant=who, name=family, times=before.times + 1 if before else 1))
    if family == "fail":
        raise ValueError("Ada Lovelace")
    if family == "steal":
        rows.put(Name(participant=BOB, name=family))


def seen(rows: Rows[Seen], recorded: Recorded) -> None:
    rows.put(Seen(participant=recorded.event.subject, seq=recorded.position.sequence))


KINDS: frozenset[type[EventData]] = frozenset({ParticipantRegistered, DemographicsCorrected})
NAMES = Projection("names", 1, Name, ("participant", "name"), "", KINDS, names)
SEEN = Projection("seen", 1, Seen, ("participant", "seq"), "", KINDS, seen, append_only=True)


def event(who: UUID, family: str, seq: int) -> Recorded:
    data = DemographicsCorrected(demographics=Demographics(family=family))
    told: Event = envelope(who, data, key=str(seq))
    return Recorded(
        event=told, position=Position(0, seq), category="participant", entity=str(who), recorded_at=START
    )


def changes(fold: Fold) -> dict[str, Changes]:
    return {projection.name: each for projection, each in fold.changes()}


def test_a_row_put_for_a_new_key_is_added_and_for_a_stored_one_replaced() -> None:
    fold = Fold([NAMES])
    stored = Name(participant=ADA, name="King", times=4)
    fold.store(fold.tables[0], [ADA], [stored])
    fold.apply(event(ADA, "King", 1))
    fold.apply(event(ADA, "Byron", 2))
    found = changes(fold)["names"]
    assert found.replaced == [Name(participant=ADA, name="King", times=5)]
    assert found.added == [Name(participant=ADA, name="Byron")]
    assert found.removed == []


def test_a_stored_row_that_goes_is_removed_and_one_that_only_came_and_went_is_nothing() -> None:
    fold = Fold([NAMES])
    fold.store(fold.tables[0], [ADA], [Name(participant=ADA, name="King")])
    for seq, family in enumerate(("Byron", "forget"), 1):
        fold.apply(event(ADA, family, seq))
    assert changes(fold)["names"] == Changes([], [], [(ADA, "King")])


def test_an_event_that_one_projection_cannot_apply_counts_for_none() -> None:
    fold = Fold([SEEN, NAMES])
    fold.apply(event(ADA, "King", 1))
    unapplied = fold.apply(event(ADA, "fail", 2))
    assert unapplied is not None
    assert unapplied.projection == "names"
    found = changes(fold)
    assert found["seen"].added == [Seen(participant=ADA, seq=1)]
    assert found["names"].added == [Name(participant=ADA, name="King")]


def test_the_reason_names_the_code_and_never_what_the_event_says() -> None:
    unapplied = Fold([NAMES]).apply(event(ADA, "fail", 1))
    assert unapplied is not None
    assert unapplied.reason.startswith("ValueError in names (test_fold.py:")
    assert "Lovelace" not in unapplied.reason


def test_a_projection_may_not_write_another_participants_rows() -> None:
    unapplied = Fold([NAMES]).apply(event(ADA, "steal", 1))
    assert unapplied is not None
    assert unapplied.reason.startswith("RowError")


def test_what_is_settled_is_not_written_again_but_known() -> None:
    fold = Fold([SEEN, NAMES])
    fold.apply(event(ADA, "King", 1))
    fold.settle(keep=10)
    assert all(each == Changes([], [], []) for each in changes(fold).values())
    fold.apply(event(ADA, "King", 2))
    found = changes(fold)
    assert found["seen"].added == [Seen(participant=ADA, seq=2)]
    assert found["names"].replaced == [Name(participant=ADA, name="King", times=2)]
    assert list(fold.unknown(event(ADA, "King", 3).event)) == []
    fold.settle(keep=0)
    assert [table.projection.name for table in fold.unknown(event(ADA, "King", 3).event)] == ["seen", "names"]


def test_an_append_only_table_is_not_read() -> None:
    def reads(rows: Rows[Seen], recorded: Recorded) -> None:
        rows.get(recorded.event.subject, 1)

    reading = Projection("seen", 1, Seen, ("participant", "seq"), "", KINDS, reads, append_only=True)
    unapplied = Fold([reading]).apply(event(ADA, "King", 1))
    assert unapplied is not None
    assert unapplied.reason.startswith("RowError")


FAMILIES = st.sampled_from(("King", "Byron", "Noel", "forget", "fail"))


@given(told=st.lists(st.tuples(st.sampled_from((ADA, BOB)), FAMILIES)), cuts=st.sets(st.integers(0, 30)))
def test_batches_fold_to_what_one_fold_gives_wherever_they_are_cut(
    told: list[tuple[UUID, str]], cuts: set[int]
) -> None:
    events = [event(who, family, seq) for seq, (who, family) in enumerate(told, 1)]
    whole = Fold([NAMES])
    table: dict[tuple[object, ...], Name] = {}
    batch = Fold([NAMES])
    for at, each in enumerate(events):
        whole.apply(each)
        if at in cuts:
            write(table, batch)
            batch = Fold([NAMES])
            batch.store(batch.tables[0], [ADA, BOB], list(table.values()))
        batch.apply(each)
    write(table, batch)
    expected = {(row.participant, row.name): row for who in (ADA, BOB) for row in whole.rows_of(NAMES, who)}
    assert table == expected


def write(table: dict[tuple[object, ...], Name], fold: Fold) -> None:
    found = changes(fold)["names"]
    for key in found.removed:
        del table[key]
    for row in found.added:
        assert (row.participant, row.name) not in table
        table[row.participant, row.name] = row
    for row in found.replaced:
        assert (row.participant, row.name) in table
        table[row.participant, row.name] = row
