"""Coded values (CE, CWE): a code, its text, its system, and the same again in another system."""

from services.gateway.hl7v2.message import Composite
from shared.events.base import Coding

# HL7 table 0396, with the spellings that interface engines really send.
_SYSTEMS = {
    "I10": "icd-10-cm",
    "I10C": "icd-10-cm",
    "ICD10": "icd-10-cm",
    "ICD-10": "icd-10-cm",
    "ICD-10-CM": "icd-10-cm",
    "ICD10CM": "icd-10-cm",
    "I9": "icd-9-cm",
    "I9C": "icd-9-cm",
    "I9CDX": "icd-9-cm",
    "SCT": "snomed",
    "SNM": "snomed",
    "SNOMED": "snomed",
    "SNOMED-CT": "snomed",
    "LN": "loinc",
    "LOINC": "loinc",
}
_UNNAMED = "local"


def coding(value: Composite, *, system: str = "", display: str = "") -> Coding | None:
    """Read a coded value; of its two codings the one in a system that everybody knows, else the first.

    `system` and `display` stand in where the value has none. None where there is no code.
    """
    first, alternate = _coding(value, 1, system, display), _coding(value, 4, "", display)
    if first is None or (alternate is not None and not _is_known(first) and _is_known(alternate)):
        return alternate
    return first


def _coding(value: Composite, start: int, system: str, display: str) -> Coding | None:
    code = value.text(start).strip()
    if not code:
        return None
    named = value.text(start + 2).strip() or system
    return Coding(
        _SYSTEMS.get(named.upper(), named) or _UNNAMED, code, value.text(start + 1).strip() or display or None
    )


def _is_known(value: Coding) -> bool:
    return value.system in _SYSTEMS.values()
