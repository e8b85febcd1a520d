"""Coded values: of several codings the one in a system that everybody knows."""

from collections.abc import Iterable
from typing import Final

from services.gateway.fhir.write.elements import CodeableConcept
from services.gateway.fhir.write.elements import Coding as FhirCoding
from shared.events.base import Coding
from shared.fhir import code_system_name

_KNOWN: Final = frozenset({"icd-10-cm", "icd-10", "icd-9-cm", "snomed", "loinc"})
_WITHOUT_SYSTEM: Final = "local"
_WORDS: Final = "text"  # what has words only is told by them
_ROLES: Final = "v2-0203"


def coding(concept: CodeableConcept | None) -> Coding | None:
    """Return the code that says most; None where there is neither a code nor a text."""
    if concept is None:
        return None
    told = [read for each in concept.coding if (read := _coding(each, concept.text))]
    known = next((each for each in told if each.system in _KNOWN), None)
    if known or told:
        return known or told[0]
    return Coding(_WORDS, concept.text, concept.text) if concept.text else None


def codings(concepts: Iterable[CodeableConcept | None]) -> tuple[Coding, ...]:
    """Return the codes of several concepts, each once."""
    return tuple(dict.fromkeys(read for each in concepts if (read := coding(each))))


def words(concept: CodeableConcept | None) -> str | None:
    """Return a concept as people say it: its text, else a display, else a code."""
    if concept is None:
        return None
    shown = (each.display or each.code for each in concept.coding)
    return concept.text or next(filter(None, shown), None)


def identifier_type(concept: CodeableConcept | None) -> str | None:
    """Return the code of HL7 table 0203, whatever the rest of its system's address is."""
    told = concept.coding if concept else ()
    return next((each.code for each in told if each.code and _ROLES in (each.system or "")), None)


def _coding(told: FhirCoding, text: str | None) -> Coding | None:
    if not told.code:
        return None
    system = code_system_name(told.system) if told.system else _WITHOUT_SYSTEM
    return Coding(system, told.code, told.display or text)
