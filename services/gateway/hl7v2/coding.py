"""Coded values (CE, CWE): a code, its text, its system, and the same again in another system."""

import re

from services.gateway.hl7v2.message import Composite
from shared.events.base import Coding

# HL7 table 0396 and OIDs, with the spellings that interface engines really send, without dashes and spaces.
_SYSTEMS = {
    "I10": "icd-10-cm",
    "I10C": "icd-10-cm",
    "ICD10": "icd-10-cm",
    "ICD10CM": "icd-10-cm",
    "2.16.840.1.113883.6.90": "icd-10-cm",
    "I9": "icd-9-cm",
    "I9C": "icd-9-cm",
    "I9CDX": "icd-9-cm",
    "ICD9": "icd-9-cm",
    "ICD9CM": "icd-9-cm",
    "2.16.840.1.113883.6.103": "icd-9-cm",
    "SCT": "snomed",
    "SNM": "snomed",
    "SNOMED": "snomed",
    "SNOMEDCT": "snomed",
    "2.16.840.1.113883.6.96": "snomed",
    "LN": "loinc",
    "LOINC": "loinc",
    "2.16.840.1.113883.6.1": "loinc",
}
_ICD_10 = "icd-10-cm"
_LIKE_ICD_10 = re.compile(  # ICD-9 has E and V, too; without a dot only F is taken for it
    r"F\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?|[A-DG-UW-Z]\d[0-9A-Z]\.[0-9A-Z]{1,4}"
)
_DOTLESS = re.compile(r"([A-Z]\d[0-9A-Z])([0-9A-Z]{1,4})")
_UNNAMED = "local"


def coding(value: Composite, *, system: str = "", display: str = "") -> Coding | None:
    """Read a coded value; of its two codings the one in a system that everybody knows, else the first.

    `system` and `display` stand in where the value has none. None where there is no code.
    """
    first, alternate = _coding(value, 1, system, display), _coding(value, 4, "", display)
    if first is None or (alternate is not None and not _is_known(first) and _is_known(alternate)):
        return alternate
    return first


def diagnosis(value: Composite, *, system: str = "", display: str = "") -> Coding | None:
    """Read a diagnosis: without a system, or called just ICD, what looks like ICD-10-CM is taken for it.

    A code without its system calls for no follow-up, and a missed one costs more than a superfluous one.
    """
    found = coding(value, system=system, display=display)
    if found is None:
        return None
    is_vague = found.system in (_UNNAMED, "ICD")
    if is_vague and _LIKE_ICD_10.fullmatch(found.code.upper()):
        return Coding(_ICD_10, _dotted(found.code), found.display)
    return found


def _coding(value: Composite, start: int, system: str, display: str) -> Coding | None:
    code = value.text(start).strip()
    if not code:
        return None
    named = value.text(start + 2).strip() or system
    known = _SYSTEMS.get(named.upper().replace("-", "").replace(" ", ""), named) or _UNNAMED
    return Coding(
        known, _dotted(code) if known == _ICD_10 else code, value.text(start + 1).strip() or display or None
    )


def _dotted(code: str) -> str:
    """ICD-10-CM has its dot after the third character; claims, and who copies from them, leave it out."""
    match = _DOTLESS.fullmatch(code)
    return f"{match[1]}.{match[2]}" if match else code


def _is_known(value: Coding) -> bool:
    return value.system in _SYSTEMS.values()
