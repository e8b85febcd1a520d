"""From an HL7 v2 message to what it means in canonical form. The trigger is MSH-9's, whatever EVN-1 says.

A message about several patients or with several instruments means several things; each is stored by itself.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.gateway.hl7v2.conventions import Conventions
from services.gateway.hl7v2.error import Condition, Hl7Error, Place, missing
from services.gateway.hl7v2.location import Location
from services.gateway.hl7v2.meanings import MEANINGS
from services.gateway.hl7v2.message import Message
from services.gateway.hl7v2.reading import Reading
from shared.events.inbound import InboundMessage

_LONGEST_CODE = 4
_PATIENT = "PID"
_AFTER_PATIENTS: Final = frozenset({"RGS", "AIS", "AIG", "AIL", "AIP", "DSC"})  # of all patients of a message


def translate(
    message: Message, *, source: str, received: datetime, conventions: Conventions
) -> tuple[InboundMessage, ...]:
    """Translate a message; raises Hl7Error with segment and field where it is not one that we can take.

    `source` is the sender's token, `received` an aware instant, `conventions` what is agreed with the sender.
    """
    _check_header(message)
    code, trigger = message.kind
    meaning = MEANINGS.get((code, trigger))
    if meaning is None:
        raise _unsupported(code, trigger)
    if _repeats(code, trigger):
        parts = message.parts(each=_PATIENT, shared=_AFTER_PATIENTS)
    else:
        _check_one_patient(message)
        parts = (message,)
    return tuple(told for part in parts for told in meaning(_reading(part, received, conventions), source))


def accepts(code: str, trigger: str = "") -> bool:
    """Tell whether messages of this type, and of this trigger where one is named, can be taken."""
    return any(code == known and trigger in ("", event) for known, event in MEANINGS)


def _repeats(code: str, trigger: str) -> bool:
    """Tell whether the patient group of this structure repeats."""
    return code in {"SIU", "ORU"} or (code == "ADT" and trigger in {"A18", "A34", "A40"})


def _check_one_patient(message: Message) -> None:
    """Nothing is accepted and passed over: what such a message says of a second patient would be."""
    if len(message.segments(_PATIENT)) > 1:
        raise Hl7Error(
            Condition.SEGMENT_SEQUENCE_ERROR,
            Place(_PATIENT, occurrence=2),
            "A message of this type is about one patient: the others need messages of their own.",
        )


def _reading(message: Message, received: datetime, conventions: Conventions) -> Reading:
    """Put each value where it is read, where the sender has it in another place."""
    values = [(field, _first(message, places)) for field, places in conventions.fields.items()]
    for field, raw in values:
        if raw or message.segment(field.segment):
            message.put(field, raw)
    return Reading(message, received, conventions)


def _first(message: Message, places: Sequence[Location]) -> str:
    return next((raw for place in places if (raw := message.raw(place))), "")


def _check_header(message: Message) -> None:
    if not message.text("MSH", 9):
        raise missing("MSH", 9, "MSH-9 is required: the message type and its trigger event.")
    if not message.control_id:
        raise missing("MSH", 10, "MSH-10 is required: the control id, by which the message is answered.")
    version = message.text("MSH", 12)
    if version and not version.startswith("2"):
        raise Hl7Error(
            Condition.UNSUPPORTED_VERSION_ID,
            Place("MSH", 12),
            "MSH-12 names a version other than 2.x.",
            rejects=True,
        )


def _unsupported(code: str, trigger: str) -> Hl7Error:
    known = any(code == taken for taken, _ in MEANINGS)
    return Hl7Error(
        Condition.UNSUPPORTED_EVENT_CODE if known else Condition.UNSUPPORTED_MESSAGE_TYPE,
        Place("MSH", 9),
        f"{_named(code, trigger)} is unsupported; taken are {_taken()}.",
        rejects=True,
    )


def _named(code: str, trigger: str) -> str:
    if not _is_code(code):
        return "This message type"
    return f"{code}^{trigger}" if _is_code(trigger) else f"{code} without a trigger event"


def _is_code(text: str) -> bool:
    return text.isascii() and text.isalnum() and len(text) <= _LONGEST_CODE


def _taken() -> str:
    """Name them all within the 250 characters of ERR-8."""
    triggers: defaultdict[str, list[str]] = defaultdict(list)
    for code, trigger in MEANINGS:
        triggers[code].append(trigger)
    return "; ".join(f"{code} {' '.join(each)}" for code, each in triggers.items())
