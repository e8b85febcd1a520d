"""Every event of the contract has its line on the timeline, with both of its times and where it came from."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.timeline.read_models.sentences import describe
from services.timeline.read_models.timeline import timeline
from shared.events import schemas
from shared.events.aftercare import FollowUpReinstated, FollowUpSuperseded
from shared.events.assessment import AssessmentCorrected
from shared.events.base import EventData, MessageReference
from shared.events.encounter import DischargeNotified, ReversalUnmatched
from shared.events.episode import StepDownReversed
from shared.events.identity import IdentifierClaimed
from shared.events.referral import ReferralAccepted
from shared.events.registry import REGISTRY
from tests.unit.timeline.facts import (
    DISCHARGE,
    FOLLOW_UP,
    HOSPITAL,
    PHQ9,
    READMISSION,
    REFERRAL,
    accepted,
    admission_cancelled,
    discharge_cancelled,
    discharged,
    intake_on,
    owed,
    received,
)
from tests.unit.timeline.story import SITE, At, on, story

MODEL = timeline(SITE)
TYPES = sorted(set(REGISTRY.types.values()) - {IdentifierClaimed}, key=lambda cls: cls.__name__)


def sample(cls: type[EventData]) -> EventData:
    return REGISTRY.decode((schemas.SAMPLES / schemas.file_name(cls)).read_bytes()).data


@pytest.mark.parametrize("cls", TYPES, ids=[cls.__name__ for cls in TYPES])
def test_every_event_is_told_in_a_title_and_a_sentence(cls: type[EventData]):
    said = describe(sample(cls), SITE.tz)
    assert said.title
    assert said.title[0].isupper() or said.title[0].isdigit()
    assert not said.title.endswith(".")
    assert len(said.title) <= 80
    assert said.detail == "" or (said.detail.endswith((".", "!", "?")) and not said.detail[0].islower())
    assert "None" not in said.title + said.detail
    assert "  " not in said.title + said.detail


@pytest.mark.parametrize("cls", TYPES, ids=[cls.__name__ for cls in TYPES])
def test_every_event_makes_one_entry(cls: type[EventData]):
    (entry,) = story(sample(cls)).rows(MODEL)
    assert entry.type == REGISTRY.type_of(cls)
    assert entry.category == REGISTRY.category_of(cls).name


def test_an_entry_has_both_times_and_a_day_stays_a_day():
    (entry,) = story(At(on(4, 15), discharged(), happened="2026-03-03")).rows(MODEL)
    assert entry.happened == "2026-03-03"
    assert entry.happened_at == datetime(2026, 3, 3, 5, tzinfo=UTC), "The day begins at the site."
    assert entry.recorded_at == on(4, 15)


def test_an_entry_names_the_message_that_told_us():
    told = MessageReference(source="general", control_id="MSG-5", trigger="ADT^A03", inbound_id="in-5")
    event = DischargeNotified(discharge=DISCHARGE, facility=HOSPITAL, discharged="2026-03-03", message=told)
    (entry,) = story(event).rows(MODEL)
    assert (entry.source, entry.control_id, entry.trigger, entry.inbound_id) == (
        "general",
        "MSG-5",
        "ADT^A03",
        "in-5",
    )


def test_what_is_due_is_told():
    entries = story(received(), accepted(date(2026, 3, 6)), owed()).rows(MODEL)
    assert [entry.due for entry in entries] == [None, date(2026, 3, 6), date(2026, 3, 10)]


@pytest.mark.parametrize(
    ("event", "title", "detail"),
    [
        (
            discharge_cancelled(),
            "Discharge cancelled by General Hospital",
            "The discharge of visit V-1 did not happen: the person is still there.",
        ),
        (
            admission_cancelled(),
            "Admission cancelled by General Hospital",
            "The admission of visit V-1 did not happen.",
        ),
        (
            StepDownReversed(discharge=DISCHARGE, cause="A13", visit_number="V-1"),
            "Step-down reversed",
            "The discharge of visit V-1 behind it was cancelled (A13): it does not count.",
        ),
        (
            FollowUpSuperseded(follow_up=FOLLOW_UP, cause="discharge-cancelled"),
            "Follow-up no longer owed",
            "The discharge it followed was cancelled, or is another person's.",
        ),
        (
            FollowUpSuperseded(follow_up=FOLLOW_UP, cause="readmission"),
            "Follow-up no longer owed",
            "The participant was admitted again: only the last discharge counts.",
        ),
        (
            FollowUpReinstated(follow_up=FOLLOW_UP, admission=READMISSION),
            "Follow-up owed again",
            "The readmission that superseded it was cancelled.",
        ),
        (
            ReversalUnmatched(of="discharge", facility=HOSPITAL),
            "Cancelled discharge not found",
            "General Hospital cancelled the discharge, which we do not know.",
        ),
        (
            AssessmentCorrected(
                assessment=PHQ9, instrument="PHQ-9", items={}, reason="misread", total=11, severity="moderate"
            ),
            "PHQ-9 corrected",
            "Now total 11, moderate, misread.",
        ),
    ],
)
def test_a_correction_says_what_it_takes_back(event: EventData, title: str, detail: str):
    said = describe(event, SITE.tz)
    assert (said.title, said.detail, said.corrects) == (title, detail, True)


def test_a_fact_corrects_nothing():
    assert not describe(ReferralAccepted(referral=REFERRAL, owner="coordinator:7"), SITE.tz).corrects


def test_times_are_told_in_the_zone_of_the_site():
    event = intake_on(datetime(2026, 7, 1, 14, 0, tzinfo=UTC))
    assert describe(event, SITE.tz).detail.startswith("1 Jul 2026 10:00")
    assert describe(event, ZoneInfo("Europe/Berlin")).detail.startswith("1 Jul 2026 16:00")
