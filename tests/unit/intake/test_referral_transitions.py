"""The 34 transitions as a table, both ways: what is listed is allowed, all else is refused."""

import csv
import os
from itertools import product
from pathlib import Path
from typing import cast, get_args

import pytest

from services.intake.deciders.referral import DECIDER
from services.intake.deciders.transitions import EXTENSIONS, TRANSITIONS, Action, Status
from shared.commands.decision import Refused
from shared.commands.intake import Party
from tests.unit.intake.referral_stories import ASKS, INITIATOR_ASKS, ask, reached

OURS = Path(__file__).with_name("referral_transitions.csv")
CHECKOUT = Path(__file__).parents[3]
REFERENCE = Path(os.environ.get("REFERENCE_DIR", CHECKOUT.parent / "shared" / "reference"))

Row = tuple[str, Party, Action, Status, Status]
Question = tuple[Party, Action, Status, bool]


def rows(file: Path) -> list[Row]:
    with file.open(newline="") as lines:
        return [cast("Row", tuple(row)) for row in list(csv.reader(lines))[1:]]


LISTED = rows(OURS)


def listed(row: Row) -> Question:
    _, party, action, start, to = row
    return (party, action, start, to == "active" and start == "accepted")


def extended() -> set[Question]:
    return {(row.party, row.action, row.start, row.ongoing) for row in EXTENSIONS}


STATUSES: tuple[Status, ...] = get_args(Status)
PARTIES: tuple[Party, ...] = get_args(Party)


def every_other() -> list[Question]:
    known = {listed(row) for row in LISTED} | extended()
    asked: list[Question] = [
        (party, action, status, ongoing)
        for party, action, status in product(PARTIES, ASKS, STATUSES)
        for ongoing in ((False, True) if action in {"schedule", "interim-note"} else (False,))
    ]
    return [question for question in asked if question not in known]


# Without words of their own: asked again in the status that they led to, they are the same command repeated.
WORDLESS = {("confirm-cancel", "cancelled"), ("no-show", "no-show")}


def expected_refusal(party: Party, action: Action, status: Status) -> str | None:
    if (party == "initiator") != (action in INITIATOR_ASKS):
        return "wrong-party"
    if status == "draft":
        return "referral-unknown"
    is_repeated = (
        action,
        status,
    ) in WORDLESS or action == "send"  # sent again: a duplicate, which moves nothing
    return None if is_repeated else "transition-not-allowed"


def test_there_are_34_of_them():
    assert [row[0] for row in LISTED] == [f"{number:02}" for number in range(1, 35)]


def test_the_decider_has_the_same_table():
    assert [(row.no, row.party, row.action, row.start, row.to) for row in TRANSITIONS] == LISTED


def test_the_table_is_the_published_one():
    published = REFERENCE / "referral-transitions.csv"
    if not published.is_file():
        pytest.skip(f"No published table at {published}: set REFERENCE_DIR to the folder that holds it.")
    assert rows(published) == LISTED


@pytest.mark.parametrize("row", LISTED, ids=["-".join(row) for row in LISTED])
def test_what_the_table_lists_is_allowed(row: Row):
    party, action, start, ongoing = listed(row)
    before = reached(start)
    decision = DECIDER.decide(ask(action, party=party, words="once more", ongoing=ongoing), before)
    assert not isinstance(decision, Refused)
    assert decision
    assert DECIDER.fold(before, decision).status == row[4]


@pytest.mark.parametrize("question", every_other(), ids=lambda question: "-".join(map(str, question)))
def test_what_the_table_does_not_list_is_refused_and_moves_nothing(question: Question):
    party, action, status, ongoing = question
    before = reached(status)
    decision = DECIDER.decide(ask(action, party=party, words="once more", ongoing=ongoing), before)
    code = expected_refusal(party, action, status)
    if isinstance(decision, Refused):
        assert decision.code == code
    else:
        assert code is None
        assert DECIDER.fold(before, decision).status == status


@pytest.mark.parametrize("row", EXTENSIONS, ids=["-".join(row[1:4]) for row in EXTENSIONS])
def test_our_extensions_are_allowed_too(row: tuple[str, Party, Action, Status, Status | None, bool]):
    _, party, action, start, to, _ = row
    before = reached(start)
    decision = DECIDER.decide(ask(action, party=party, words="once more"), before)
    assert not isinstance(decision, Refused)
    assert DECIDER.fold(before, decision).status == (to or before.left[-1])


def test_our_extensions_are_not_in_the_table():
    assert not extended() & {listed(row) for row in LISTED}
