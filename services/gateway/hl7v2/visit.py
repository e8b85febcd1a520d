"""PV1 and DG1: the stay that a message is about, and what it was for."""

from typing import Final

from services.gateway.hl7v2.coding import diagnosis
from services.gateway.hl7v2.message import Segment
from services.gateway.hl7v2.reading import Reading
from shared.events.base import Coding
from shared.events.encounter import EncounterClass
from shared.events.inbound import Visit

# HL7 table 0004 to v3 ActEncounterCode, as the v2-to-FHIR concept map has it.
_CLASSES: Final[dict[str, EncounterClass]] = {
    "I": "IMP",
    "B": "IMP",
    "E": "EMER",
    "O": "AMB",
    "R": "AMB",
    "P": "PRENC",
    "OBS": "OBSENC",
    "V": "OBSENC",
    "H": "HH",
}
_DELETED = "D"
_UNRANKED = 99


def visit(reading: Reading, *, implied: EncounterClass = "UNK") -> Visit:
    """Read PV1 and DG1. PV1 may be missing: then only the facility and the diagnoses are known.

    `implied` is the class that the trigger tells where PV1-2 is empty.
    """
    pv1 = reading.message.segment("PV1")
    known = diagnoses(reading)
    if pv1 is None:
        return Visit(facility=reading.facility, encounter_class=implied, diagnoses=known)
    told = pv1.text(2).strip().upper()
    return Visit(
        facility=pv1.text(39).strip() or reading.facility,
        visit_number=pv1.text(19).strip() or None,
        encounter_class=_CLASSES.get(told, "UNK") if told else implied,
        admitted=reading.moment(pv1, 44),
        discharged=reading.moment(pv1, 45),
        disposition=pv1.text(36).strip() or None,
        diagnoses=known,
    )


def location(segment: Segment | None, field: int) -> str | None:
    """Read a person's location (PL) as people write it: point of care, room, bed, else what describes it."""
    if segment is None:
        return None
    value = segment.field(field)
    named = (value.text(part).strip() for part in (1, 2, 3))
    return " ".join(filter(None, named)) or value.text(9).strip() or value.text(4).strip() or None


def diagnoses(reading: Reading) -> tuple[Coding, ...]:
    """Read the diagnoses, the principal one first (DG1-15 is the rank, 1 the first)."""
    kept = [segment for segment in reading.message.segments("DG1") if segment.text(21) != _DELETED]
    found = (_diagnosis(segment, reading) for segment in sorted(kept, key=_rank))
    return tuple(dict.fromkeys(each for each in found if each))


def _diagnosis(dg1: Segment, reading: Reading) -> Coding | None:
    """DG1-3; before v2.4 its system stood in DG1-2 and its text in DG1-4."""
    found = diagnosis(dg1.field(3), system=dg1.text(2).strip(), display=dg1.text(4).strip())
    if found is None:
        reading.warn("A DG1 without a code in DG1-3 was left out.")
    return found


def _rank(dg1: Segment) -> int:
    told = dg1.text(15).strip()
    return (int(told) or _UNRANKED) if told.isascii() and told.isdigit() else _UNRANKED
