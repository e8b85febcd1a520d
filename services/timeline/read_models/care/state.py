"""A participant's current care state: the row of `participant`, and what its status means."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct, field

from shared.events.assessment import RiskLevel
from shared.events.encounter import EncounterClass
from shared.events.moment import Moment

Status = Literal[
    "deceased",  # died; nothing else is said any more
    "inpatient",  # in a hospital at this moment, whatever the episode says
    "active",  # in the program
    "on-hold",  # in the program, paused: no session is expected
    "enrolled",  # will start: enrolled, the episode is not open yet
    "waitlisted",  # a referral was accepted and waits for a place
    "accepted",  # a referral was accepted
    "referred",  # a referral waits for our answer
    "finished",  # the last episode was completed
    "ended-early",  # the last episode ended before completion
    "declined",  # the last referral was declined
    "cancelled",  # the last referral was cancelled by whoever sent it
    "referral-completed",  # the last referral got its outcome, and no care began
    "registered",  # known, nothing asked
]
"""What stands first in this list wins."""

ReferralStage = Literal["waitlisted", "accepted", "referred", "declined", "cancelled", "referral-completed"]
EpisodeStatus = Literal["active", "onhold", "finished", "cancelled"]  # FHIR; an early end is cancelled

_OPEN_STAGES: tuple[ReferralStage, ...] = ("waitlisted", "accepted", "referred")
_NO_STAY: frozenset[EncounterClass] = frozenset({"AMB", "HH", "PRENC"})


class Stay(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stay elsewhere, as its hospital told it; open until discharged."""

    facility: str
    source: str  # who numbers the visit: the sender of the message
    visit_number: str | None = None
    encounter_class: EncounterClass = "UNK"
    admission: UUID | None = None
    admitted: Moment | None = None
    discharge: UUID | None = None
    discharged: Moment | None = None
    disposition: str | None = None
    is_discharge_only: bool = False  # its admission was taken back: the discharge alone stands

    @property
    def is_current(self) -> bool:
        """Tell whether the person is in a bed there now: an outpatient visit is no stay."""
        return self.discharged is None and self.encounter_class not in _NO_STAY


class LevelStep(Struct, frozen=True, omit_defaults=True):
    """From `at` on the participant is at `level`; perhaps because a hospital discharged them."""

    level: str
    at: Moment
    discharge: UUID | None = None


class ReferralStanding(Struct, frozen=True):
    """How far a referral has come."""

    referral: str
    stage: ReferralStage


class Score(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An instrument's last answers; with an item missing there is neither total nor severity."""

    assessment: UUID
    at: Moment
    total: int | None = None
    severity: str | None = None


class PlannedSession(Struct, frozen=True):
    """A session scheduled, and neither attended, missed nor cancelled yet."""

    session: UUID
    start: datetime
    type: str


class CareState(Struct, frozen=True, kw_only=True, gc=False):
    """Where a participant's care stands after the event at `k`, `seq`."""

    participant: UUID
    status: Status = "registered"
    family: str | None = None
    given: tuple[str, ...] = ()
    birth_date: date | None = None
    sex: str | None = None
    phone: str | None = None
    identifiers: tuple[str, ...] = ()  # "assigner|value"
    numbers: tuple[str, ...] = ()  # their values, to be found by
    program: str | None = None
    track: str | None = None
    enrolment: UUID | None = None  # enrolled, and the episode is not open yet
    episode: UUID | None = None  # the last one
    episode_status: EpisodeStatus | None = None
    episode_start: date | None = None
    episode_end: date | None = None
    end_reason: str | None = None
    level: str | None = None  # ASAM level of the open interval
    edition: str | None = None
    level_since: Moment | None = None
    steps: list[LevelStep] = field(default_factory=list[LevelStep])  # of the last episode
    inpatient_facility: str | None = None
    inpatient_since: Moment | None = None
    last_discharge: Moment | None = None
    last_discharge_facility: str | None = None
    last_disposition: str | None = None
    stays: list[Stay] = field(default_factory=list[Stay])
    referrals: list[ReferralStanding] = field(default_factory=list[ReferralStanding])  # last moved, last
    risk_level: RiskLevel | None = None  # the highest of the open flags
    risks: dict[str, RiskLevel] = field(default_factory=dict[str, RiskLevel])  # open flags by assessment
    phq9: Score | None = None
    gad7: Score | None = None
    cssrs: Score | None = None
    next_session: datetime | None = None  # the earliest without a result: in the past, one to be recorded
    sessions: list[PlannedSession] = field(default_factory=list[PlannedSession])
    sessions_attended: int = 0
    sessions_missed: int = 0
    goals_open: int = 0
    goals_achieved: int = 0
    relapse_plan_agreed: date | None = None
    deceased: bool = False
    died: Moment | None = None
    merged_into: UUID | None = None  # the record is read as this one's
    k: int = 0
    seq: int = 0


def status_of(state: CareState) -> Status:
    """Return the one word for where the participant is: the first of `Status` that holds."""
    if state.deceased:
        return "deceased"
    if state.inpatient_facility is not None:
        return "inpatient"
    if state.episode_status in ("active", "onhold"):
        return "active" if state.episode_status == "active" else "on-hold"
    if state.enrolment is not None:
        return "enrolled"
    return _of_referrals(state)


def _of_referrals(state: CareState) -> Status:
    stages: list[ReferralStage] = [referral.stage for referral in state.referrals]
    opened: ReferralStage | None = next((stage for stage in _OPEN_STAGES if stage in stages), None)
    if opened is not None:
        return opened
    if state.episode_status is not None:
        return "finished" if state.episode_status == "finished" else "ended-early"
    return stages[-1] if stages else "registered"
