"""Who may do what to a referral in which status: the HL7 BSeR IG's harmonised state table, our extensions."""

from typing import Literal, NamedTuple

from shared.commands.decision import Refused, refused
from shared.commands.intake import Party

Status = Literal[
    "draft",
    "received",
    "accepted",
    "rejected",
    "scheduled",
    "no-show",
    "appointment-cancelled",
    "visit-completed",
    "active",
    "cancel-requested",
    "cancelled",
    "completed",
    # extensions
    "awaiting-information",
    "waitlisted",
]

Action = Literal[
    "send",
    "accept",
    "decline",
    "request-cancel",
    "confirm-cancel",
    "schedule",
    "reschedule",
    "no-show",
    "cancel-appointment",
    "interim-note",
    "outcome",
    # extensions
    "request-information",
    "receive-information",
    "waitlist",
    "remove-from-waitlist",
    "refuse-cancel",
    "attend",
    "amend",  # moves nothing, so the table has no row for it
]

TERMINAL: frozenset[Status] = frozenset({"rejected", "cancelled", "completed"})


class Transition(NamedTuple):
    """One row: `to` is None where the referral goes back to the status it had before.

    `ongoing` tells apart the two rows that a schedule or a note has from accepted: a first visit, or a
    service that is already under way.
    """

    no: str
    party: Party
    action: Action
    start: Status
    to: Status | None
    ongoing: bool = False


TRANSITIONS: tuple[Transition, ...] = (
    Transition("01", "initiator", "send", "draft", "received"),
    Transition("02", "recipient", "accept", "received", "accepted"),
    Transition("03", "recipient", "decline", "received", "rejected"),
    Transition("04", "initiator", "request-cancel", "received", "cancel-requested"),
    Transition("05", "recipient", "decline", "accepted", "rejected"),
    Transition("06", "recipient", "schedule", "accepted", "scheduled"),
    Transition("07", "initiator", "request-cancel", "accepted", "cancel-requested"),
    Transition("08", "recipient", "interim-note", "accepted", "visit-completed"),
    Transition("09", "recipient", "outcome", "accepted", "completed"),
    Transition("10", "recipient", "decline", "scheduled", "rejected"),
    Transition("11", "recipient", "reschedule", "scheduled", "scheduled"),
    Transition("12", "recipient", "no-show", "scheduled", "no-show"),
    Transition("13", "recipient", "cancel-appointment", "scheduled", "appointment-cancelled"),
    Transition("14", "initiator", "request-cancel", "scheduled", "cancel-requested"),
    Transition("15", "recipient", "interim-note", "scheduled", "visit-completed"),
    Transition("16", "recipient", "outcome", "scheduled", "completed"),
    Transition("17", "recipient", "decline", "no-show", "rejected"),
    Transition("18", "recipient", "schedule", "no-show", "scheduled"),
    Transition("19", "recipient", "cancel-appointment", "no-show", "appointment-cancelled"),
    Transition("20", "initiator", "request-cancel", "no-show", "cancel-requested"),
    Transition("21", "recipient", "schedule", "appointment-cancelled", "scheduled"),
    Transition("22", "initiator", "request-cancel", "appointment-cancelled", "cancel-requested"),
    Transition("23", "recipient", "confirm-cancel", "cancel-requested", "cancelled"),
    Transition("24", "recipient", "outcome", "cancel-requested", "completed"),
    Transition("25", "recipient", "decline", "visit-completed", "rejected"),
    Transition("26", "recipient", "schedule", "visit-completed", "scheduled"),
    Transition("27", "recipient", "cancel-appointment", "visit-completed", "appointment-cancelled"),
    Transition("28", "initiator", "request-cancel", "visit-completed", "cancel-requested"),
    Transition("29", "recipient", "interim-note", "visit-completed", "visit-completed"),
    Transition("30", "recipient", "outcome", "visit-completed", "completed"),
    Transition("31", "recipient", "schedule", "accepted", "active", ongoing=True),
    Transition("32", "recipient", "interim-note", "accepted", "active", ongoing=True),
    Transition("33", "recipient", "decline", "active", "rejected"),
    Transition("34", "initiator", "request-cancel", "active", "cancel-requested"),
)

EXTENSIONS: tuple[Transition, ...] = (
    Transition("X01", "recipient", "request-information", "received", "awaiting-information"),
    Transition("X02", "recipient", "request-information", "accepted", "awaiting-information"),
    Transition("X03", "initiator", "receive-information", "awaiting-information", None),
    Transition("X04", "recipient", "decline", "awaiting-information", "rejected"),
    Transition("X05", "initiator", "request-cancel", "awaiting-information", "cancel-requested"),
    Transition("X06", "recipient", "waitlist", "accepted", "waitlisted"),
    Transition("X07", "recipient", "remove-from-waitlist", "waitlisted", "accepted"),
    Transition("X08", "recipient", "decline", "waitlisted", "rejected"),
    Transition("X09", "initiator", "request-cancel", "waitlisted", "cancel-requested"),
    Transition("X10", "recipient", "refuse-cancel", "cancel-requested", None),
    Transition("X11", "recipient", "attend", "scheduled", "scheduled"),
)

ALL = TRANSITIONS + EXTENSIONS

_PARTY_OF: dict[Action, Party] = {  # no action belongs to both
    "amend": "initiator",
    **{row.action: row.party for row in ALL},
}
_ALLOWED = {(row.action, row.start, row.ongoing) for row in ALL}

_IN_WORDS: dict[Action, str] = {
    "send": "send it",
    "accept": "accept it",
    "decline": "decline it",
    "request-cancel": "ask to cancel it",
    "confirm-cancel": "confirm its cancellation",
    "schedule": "schedule an appointment",
    "reschedule": "reschedule the appointment",
    "no-show": "record a no-show",
    "cancel-appointment": "cancel the appointment",
    "interim-note": "send an interim note",
    "outcome": "send the outcome",
    "request-information": "ask for information",
    "receive-information": "give the information asked for",
    "waitlist": "put it on the waiting list",
    "remove-from-waitlist": "take it off the waiting list",
    "refuse-cancel": "refuse to cancel it",
    "attend": "record that the person came",
    "amend": "amend it",
}

_PARTY_IN_WORDS: dict[Party, str] = {"initiator": "whoever sent the referral", "recipient": "the program"}


def wrong_party(party: Party, action: Action) -> Refused | None:
    """Refuse what only the other party may ever do."""
    if _PARTY_OF[action] == party:
        return None
    owner = _PARTY_IN_WORDS[_PARTY_OF[action]]
    return refused("wrong-party", f"Only {owner} may {_IN_WORDS[action]}.", "party")


def not_allowed(party: Party, action: Action, status: Status, *, ongoing: bool) -> Refused | None:
    """Refuse what the table has no row for, saying where the referral is and what may be done instead."""
    if (action, status, ongoing) in _ALLOWED:
        return None
    kind = f"{_IN_WORDS[action]} for a service under way" if ongoing else _IN_WORDS[action]
    return refused(
        "transition-not-allowed",
        f"The referral is {status}: it is not possible now to {kind}. {_choices(party, status)}",
    )


def _choices(party: Party, status: Status) -> str:
    rows = [row for row in ALL if (row.party, row.start) == (party, status)]
    words = dict.fromkeys(_IN_WORDS[row.action] for row in rows)
    return f"Possible now: {', '.join(words)}." if words else "Nothing more is possible for you now."
