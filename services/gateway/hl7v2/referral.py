"""REF: a referral (v2.8 chapter 11)."""

from typing import Final

from services.gateway.hl7v2.coding import coding
from services.gateway.hl7v2.contact import full_name, phone
from services.gateway.hl7v2.error import missing
from services.gateway.hl7v2.message import Composite, Segment
from services.gateway.hl7v2.reading import Reading
from services.gateway.hl7v2.visit import diagnoses
from shared.events.base import Coding, Identifier
from shared.events.referral import Insurance, Priority, Referrer

_PLACER = "PLAC"
_REFERRING = "RP"
_DOCUMENTS = {"RP", "ED"}  # OBX-2: a pointer to a document, or the document itself

# HL7 table 0280, and U, which many send.
_PRIORITIES: Final[dict[str, Priority]] = {"S": "stat", "A": "asap", "U": "urgent", "R": "routine"}


def placer(reading: Reading) -> Identifier:
    """Return the sender's number of a new referral: RF1-6, else RF1-11, else the message's own (MSH-10)."""
    return _number(reading) or Identifier(reading.sender, reading.message.control_id, _PLACER)


def placer_of_known(reading: Reading) -> Identifier:
    """Return the number of a referral sent before; raises Hl7Error where none is told."""
    number = _number(reading)
    if number is None:
        raise missing("RF1", 6, "RF1-6 is required: the number of the referral that this message changes.")
    return number


def _number(reading: Reading) -> Identifier | None:
    rf1 = reading.message.segment("RF1")
    for number in (rf1.field(6), rf1.field(11)) if rf1 else ():
        if value := number.text(1).strip():
            return Identifier(_assigner(number) or reading.sender, value, _PLACER)
    return None


def priority(reading: Reading) -> Priority:
    """RF1-2; what is no code of the table is routine, with a warning."""
    told = reading.message.text("RF1", 2).strip().upper()
    if told and told not in _PRIORITIES:
        reading.warn("RF1-2 is not a code of HL7 table 0280 and was read as routine.")
    return _PRIORITIES.get(told, "routine")


def referrer(reading: Reading) -> Referrer:
    """Return the provider whose role is referring (PRD-1 RP), else the referring doctor of PV1-8."""
    for prd in reading.message.segments("PRD"):
        if any(role.text(1) == _REFERRING for role in prd.repetitions(1)):
            return Referrer(
                name=full_name(prd.field(2)), organisation=_organisation(prd), phone=phone(prd.repetitions(5))
            )
    doctor = reading.message.segment("PV1")
    return Referrer(name=_doctor(doctor.field(8)) if doctor else None)


def is_told(reading: Reading, segment: str, field: int) -> bool:
    """Tell whether a field was sent: an amendment changes only what it says."""
    return bool(reading.message.text(segment, field))


def cancellation_reason(reading: Reading) -> str | None:
    """Return why it is withdrawn: RF1-14, else RF1-24, else RF1-10 in words."""
    rf1 = reading.message.segment("RF1")
    if rf1 is None:
        return None
    return rf1.text(14) or rf1.text(24) or rf1.text(10, 2) or rf1.text(10) or None


def service_requested(reading: Reading) -> Coding | None:
    """RF1-3, the referral's type."""
    rf1 = reading.message.segment("RF1")
    return coding(rf1.field(3)) if rf1 else None


def reasons(reading: Reading) -> tuple[Coding, ...]:
    """Return the diagnoses, the principal one first, then RF1-10."""
    rf1 = reading.message.segment("RF1")
    stated = (coding(reason) for reason in rf1.repetitions(10)) if rf1 else ()
    return (*diagnoses(reading), *(reason for reason in stated if reason))


def insurance(reading: Reading) -> tuple[Insurance, ...]:
    """IN1, as stated: nothing of it is verified."""
    read = (_coverage(in1) for in1 in reading.message.segments("IN1"))
    return tuple(coverage for coverage in read if coverage)


def documents(reading: Reading) -> tuple[str, ...]:
    """Names of the documents sent along (OBX-3 where OBX-2 is a pointer or encapsulated data)."""
    sent = (obx for obx in reading.message.segments("OBX") if obx.text(2) in _DOCUMENTS)
    return tuple(obx.text(3, 2) or obx.text(3) or "document" for obx in sent)


def _assigner(number: Composite) -> str:
    """EI: its namespace, else its universal id."""
    return number.text(2).strip() or number.text(3).strip()


def _organisation(prd: Segment) -> str | None:
    """PRD-10, the organisation (from v2.6); else the facility of PRD-4, or its description."""
    return prd.text(10) or prd.text(4, 4) or prd.text(4, 9) or None


def _doctor(doctor: Composite) -> str | None:
    """XCN: the family name stands in its second component, the given names after it."""
    return " ".join(filter(None, (doctor.text(3), doctor.text(2)))) or None


def _coverage(in1: Segment) -> Insurance | None:
    payer = in1.text(4) or in1.text(3) or in1.text(2, 2)
    if not payer:
        return None
    return Insurance(
        payer=payer,
        member_id=in1.text(36) or in1.text(49) or None,
        plan=in1.text(2, 2) or in1.text(2) or None,
    )
