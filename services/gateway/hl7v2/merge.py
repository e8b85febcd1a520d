"""MRG: the identifiers that are given up for those of PID."""

from services.gateway.hl7v2.error import Condition, Hl7Error, Place, missing
from services.gateway.hl7v2.message import Segment
from services.gateway.hl7v2.person import identifiers
from services.gateway.hl7v2.reading import Reading
from shared.events.base import Identifier


def priors(reading: Reading) -> tuple[tuple[Identifier, ...], ...]:
    """Read each MRG of a patient: MRG-1, else MRG-4 as older senders have it.

    The standard has one for a PID; a sender that merges several records at once repeats it. Raises Hl7Error
    where one names nobody.
    """
    segments = reading.message.segments("MRG")
    if not segments:
        raise missing(
            "MRG", 0, "An MRG segment is required: it names what is merged into the patient of PID."
        )
    return tuple(_prior(mrg, reading) for mrg in segments)


def _prior(mrg: Segment, reading: Reading) -> tuple[Identifier, ...]:
    found = identifiers(mrg, 1, reading) or identifiers(mrg, 4, reading)
    if not found:
        place = Place("MRG", 1, mrg.occurrence)
        sentence = f"{place} needs at least one patient identifier."
        raise Hl7Error(Condition.REQUIRED_FIELD_MISSING, place, sentence)
    return found
