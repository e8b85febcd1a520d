"""What an HL7 v2 message means, in canonical form. The trigger is MSH-9's, whatever EVN-1 says."""

from collections.abc import Callable
from datetime import datetime, tzinfo

from services.gateway.hl7v2 import referral
from services.gateway.hl7v2.error import Condition, Hl7Error, Place, missing
from services.gateway.hl7v2.message import Message
from services.gateway.hl7v2.person import person
from services.gateway.hl7v2.reading import Reading
from services.gateway.hl7v2.visit import visit
from shared.events.inbound import (
    Admission,
    AdmissionCancellation,
    DemographicsUpdate,
    Discharge,
    DischargeCancellation,
    InboundMessage,
    Original,
    Referral,
)

Translation = Callable[[Reading, str], InboundMessage]
_LONGEST_CODE = 4


def translate(message: Message, *, source: str, received: datetime, site: tzinfo) -> InboundMessage:
    """Translate a message; raises Hl7Error with segment and field where it is not one that we can take.

    `source` is the sender's token, `received` an aware instant, `site` the zone of times without an offset.
    """
    _check_header(message)
    code, trigger = message.kind
    translation = _TRANSLATIONS.get((code, trigger))
    if translation is None:
        raise _unsupported(code, trigger)
    return translation(Reading(message, received, site), source)


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
    known = any(code == taken for taken, _ in _TRANSLATIONS)
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
    return ", ".join(f"{code}^{trigger}" for code, trigger in _TRANSLATIONS)


def _original(reading: Reading) -> Original:
    """Made last, so that it has every warning."""
    message = reading.message
    return Original(
        format="hl7v2",
        text=message.decoded,
        control_id=message.control_id,
        trigger="^".join(message.kind),
        sent_at=reading.sent,
        warnings=tuple(dict.fromkeys(message.warnings)),
    )


def _referral(reading: Reading, source: str) -> Referral:
    rf1 = reading.message.segment("RF1")
    return Referral(
        source=source,
        person=person(reading),
        occurred=reading.occurred,
        placer=referral.placer(reading),
        priority=referral.priority(reading),
        referrer=referral.referrer(reading),
        service_requested=referral.service_requested(reading),
        reasons=referral.reasons(reading),
        documents=referral.documents(reading),
        insurance=referral.insurance(reading),
        requested_on=reading.moment(rf1, 9) or reading.moment(rf1, 7),  # originated, else effective
        original=_original(reading),
    )


def _admission(reading: Reading, source: str) -> Admission:
    stay = visit(reading)
    return Admission(
        source=source,
        person=person(reading),
        visit=stay,
        occurred=stay.admitted or reading.occurred,
        original=_original(reading),
    )


def _discharge(reading: Reading, source: str) -> Discharge:
    stay = visit(reading)
    return Discharge(
        source=source,
        person=person(reading),
        visit=stay,
        occurred=stay.discharged or reading.occurred,
        original=_original(reading),
    )


def _cancellation(kind: type[AdmissionCancellation] | type[DischargeCancellation]) -> Translation:
    """A11 and A13 are matched by visit number: without one they could never be applied."""

    def translation(reading: Reading, source: str) -> InboundMessage:
        whom, stay = person(reading), visit(reading)
        if stay.visit_number is None:
            raise missing("PV1", 19, "PV1-19 is required: a cancellation is matched by its visit number.")
        return kind(
            source=source,
            person=whom,
            visit=stay,
            occurred=reading.occurred,
            original=_original(reading),
        )

    return translation


def _demographics_update(reading: Reading, source: str) -> DemographicsUpdate:
    return DemographicsUpdate(
        source=source, person=person(reading), occurred=reading.occurred, original=_original(reading)
    )


_TRANSLATIONS: dict[tuple[str, str], Translation] = {
    ("REF", "I12"): _referral,
    ("ADT", "A01"): _admission,
    ("ADT", "A03"): _discharge,
    ("ADT", "A08"): _demographics_update,
    ("ADT", "A11"): _cancellation(AdmissionCancellation),
    ("ADT", "A13"): _cancellation(DischargeCancellation),
}
