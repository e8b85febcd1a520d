"""MRG: the identifiers that are given up for those of PID."""

from services.gateway.hl7v2.error import missing
from services.gateway.hl7v2.person import identifiers
from services.gateway.hl7v2.reading import Reading
from shared.events.base import Identifier


def prior(reading: Reading) -> tuple[Identifier, ...]:
    """Read MRG-1, else MRG-4 as older senders have it; raises Hl7Error where nothing is named."""
    mrg = reading.message.segment("MRG")
    if mrg is None:
        raise missing(
            "MRG", 0, "An MRG segment is required: it names what is merged into the patient of PID."
        )
    found = identifiers(mrg, 1, reading) or identifiers(mrg, 4, reading)
    if not found:
        raise missing("MRG", 1, "MRG-1 needs at least one patient identifier.")
    return found
