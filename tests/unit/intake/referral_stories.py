"""A referral as its tests tell it: who asks what, and the shortest way into every status."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypedDict, Unpack
from uuid import UUID

from services.intake.deciders.referral import DECIDER, State
from services.intake.deciders.transitions import Action, Status
from shared.commands.decision import Refused
from shared.commands.intake import (
    AcceptReferral,
    CancelIntakeAppointment,
    ConfirmReferralCancellation,
    DeclineReferral,
    Party,
    ReceiveInformation,
    ReceiveReferral,
    RecordIntakeAttendance,
    RecordIntakeNoShow,
    RecordStatusDelivery,
    ReferralCommand,
    RefuseReferralCancellation,
    RemoveFromWaitlist,
    RequestInformation,
    RequestReferralCancellation,
    RescheduleIntakeAppointment,
    ScheduleIntakeAppointment,
    SendInterimNote,
    SendReferralOutcome,
    WaitlistReferral,
)
from shared.events.base import Identifier, MessageReference

PARTICIPANT: Final = UUID(int=1)
REFERRAL: Final = UUID(int=2)
APPOINTMENT: Final = UUID(int=3)
PLACER: Final = Identifier("GENERAL", "R-100", "PLAC")
MAR_10: Final = datetime(2026, 3, 10, 15, tzinfo=UTC)
MAR_12: Final = MAR_10 + timedelta(days=2)
HOUR: Final = timedelta(hours=1)


class Asked(TypedDict):
    """What every command to this referral carries."""

    id: UUID
    participant: UUID
    referral: UUID
    actor: str
    now: datetime


ASKED: Final[Asked] = {
    "id": UUID(int=9),
    "participant": PARTICIPANT,
    "referral": REFERRAL,
    "actor": "coordinator:7",
    "now": MAR_12 + HOUR,
}


def told_by(number: int, trigger: str = "REF^I12") -> MessageReference:
    return MessageReference(
        source="general-hospital", control_id=f"C{number}", trigger=trigger, inbound_id=f"inbound-{number}"
    )


class Receipt(TypedDict, total=False):
    message: MessageReference | None
    placer: Identifier
    party: Party


def receive(**said: Unpack[Receipt]) -> ReceiveReferral:
    receipt: Receipt = {"placer": PLACER, "message": told_by(1)}
    return ReceiveReferral(**ASKED, source="hospital", **(receipt | said))


def delivered(number: int = 1, *, answer: str = "AA") -> RecordStatusDelivery:
    return RecordStatusDelivery(
        **ASKED,
        because=UUID(int=100 + number),
        status="accepted",
        to="general-hospital",
        way="mllp",
        answer=answer,
    )


Ask = Callable[[Party, str, bool], ReferralCommand]


def _schedule(party: Party, words: str, ongoing: bool) -> ReferralCommand:  # noqa: FBT001 (one column of a table)
    return ScheduleIntakeAppointment(
        **ASKED,
        party=party,
        appointment=APPOINTMENT,
        start=MAR_10,
        end=MAR_10 + HOUR,
        site=words,
        ongoing=ongoing,
    )


ASKS: Final[Mapping[Action, Ask]] = {
    "send": lambda party, words, _: receive(party=party, message=told_by(len(words))),
    "accept": lambda party, words, _: AcceptReferral(**ASKED, party=party, owner=words),
    "decline": lambda party, words, _: DeclineReferral(**ASKED, party=party, reason_code=words),
    "request-cancel": lambda party, words, _: RequestReferralCancellation(**ASKED, party=party, reason=words),
    "confirm-cancel": lambda party, _, __: ConfirmReferralCancellation(**ASKED, party=party),
    "schedule": _schedule,
    "reschedule": lambda party, words, _: RescheduleIntakeAppointment(
        **ASKED, party=party, start=MAR_12, end=MAR_12 + HOUR, site=words
    ),
    "no-show": lambda party, _, __: RecordIntakeNoShow(**ASKED, party=party),
    "cancel-appointment": lambda party, words, _: CancelIntakeAppointment(**ASKED, party=party, reason=words),
    "interim-note": lambda party, words, ongoing: SendInterimNote(
        **ASKED, party=party, note=words, ongoing=ongoing
    ),
    "outcome": lambda party, words, _: SendReferralOutcome(**ASKED, party=party, outcome=words),
    "request-information": lambda party, words, _: RequestInformation(**ASKED, party=party, what=words),
    "receive-information": lambda party, words, _: ReceiveInformation(**ASKED, party=party, what=words),
    "waitlist": lambda party, words, _: WaitlistReferral(**ASKED, party=party, program=words),
    "remove-from-waitlist": lambda party, words, _: RemoveFromWaitlist(**ASKED, party=party, reason=words),
    "refuse-cancel": lambda party, words, _: RefuseReferralCancellation(**ASKED, party=party, reason=words),
    "attend": lambda party, _, __: RecordIntakeAttendance(**ASKED, party=party),
}

INITIATOR_ASKS: Final = {"send", "request-cancel", "receive-information"}


def ask(
    action: Action, *, party: Party | None = None, words: str = "as before", ongoing: bool = False
) -> ReferralCommand:
    owner: Party = "initiator" if action in INITIATOR_ASKS else "recipient"
    return ASKS[action](party or owner, words, ongoing)


WAYS: Final[Mapping[Status, tuple[tuple[Action, bool], ...]]] = {
    "draft": (),
    "received": (("send", False),),
    "accepted": (("send", False), ("accept", False)),
    "rejected": (("send", False), ("decline", False)),
    "scheduled": (("send", False), ("accept", False), ("schedule", False)),
    "no-show": (("send", False), ("accept", False), ("schedule", False), ("no-show", False)),
    "appointment-cancelled": (
        ("send", False),
        ("accept", False),
        ("schedule", False),
        ("cancel-appointment", False),
    ),
    "visit-completed": (("send", False), ("accept", False), ("schedule", False), ("interim-note", False)),
    "active": (("send", False), ("accept", False), ("schedule", True)),
    "cancel-requested": (("send", False), ("request-cancel", False)),
    "cancelled": (("send", False), ("request-cancel", False), ("confirm-cancel", False)),
    "completed": (("send", False), ("accept", False), ("outcome", False)),
    "awaiting-information": (("send", False), ("request-information", False)),
    "waitlisted": (("send", False), ("accept", False), ("waitlist", False)),
}


def reached(status: Status) -> State:
    """Ask one command after another until the referral is there."""
    state = DECIDER.initial
    for action, ongoing in WAYS[status]:
        decision = DECIDER.decide(ask(action, ongoing=ongoing), state)
        assert not isinstance(decision, Refused), decision
        state = DECIDER.fold(state, decision)
    assert state.status == status
    return state
