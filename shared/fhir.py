"""How our names of code systems, assigners and resources are written as FHIR URIs, and read back.

An assigner that is itself a URI or an OID keeps its own form; any other becomes a URN of ours, so that two
assigners never share a system.
"""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote

FHIR_VERSION: Final = "4.0.1"
ASSIGNER: Final = "urn:throughcare:assigner:"
LOCAL: Final = "urn:throughcare:"
RECIPIENT_SOURCE: Final = LOCAL + "source"  # Identifier.system of a source's token, in a Consent
RECIPIENT_CLASS: Final = LOCAL + "recipient-class"
RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"

_SYSTEMS: Final = {
    "icd-10-cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "icd-10": "http://hl7.org/fhir/sid/icd-10",
    "icd-9-cm": "http://hl7.org/fhir/sid/icd-9-cm",
    "snomed": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
    "cpt": "http://www.ama-assn.org/go/cpt",
    "hcpcs": "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
}
_NAMES: Final = {uri: name for name, uri in _SYSTEMS.items()}
_CODE_SYSTEM: Final = LOCAL + "code-system:"
_OID: Final = re.compile(r"[0-2](\.(0|[1-9]\d*))+")
_URI: Final = re.compile(r"(https?|urn|oid|uuid):\S+")


def code_system(name: str) -> str:
    """Return the URI of a code system that events name."""
    return _SYSTEMS.get(name) or _as_uri(name, _CODE_SYSTEM)


@lru_cache(maxsize=1024)
def code_system_name(uri: str) -> str:
    """Return the name under which events know a code system."""
    return _NAMES.get(uri) or _from_uri(uri, _CODE_SYSTEM)


def identifier_system(assigner: str) -> str:
    """Return the Identifier.system of an assigner (HL7 CX.4, as intake claims it)."""
    return _as_uri(assigner, ASSIGNER)


@lru_cache(maxsize=1024)
def assigner_of(system: str) -> str:
    """Return the assigner of an Identifier.system: the way back."""
    return _from_uri(system, ASSIGNER)


@lru_cache(maxsize=1024)
def _as_uri(name: str, prefix: str) -> str:
    if _OID.fullmatch(name):
        return f"urn:oid:{name}"
    return name if _URI.fullmatch(name) else prefix + quote(name, safe="")


def _from_uri(uri: str, prefix: str) -> str:
    if uri.startswith(prefix):
        return unquote(uri.removeprefix(prefix))
    oid = uri.removeprefix("urn:oid:")
    return oid if _OID.fullmatch(oid) else uri


TASK_STATUS: Final = {
    "received": "received",
    "accepted": "accepted",
    "rejected": "rejected",
    "scheduled": "accepted",
    "no-show": "accepted",
    "appointment-cancelled": "accepted",
    "visit-completed": "in-progress",
    "active": "in-progress",
    "cancel-requested": "on-hold",
    "cancelled": "cancelled",
    "completed": "completed",
    "awaiting-information": "on-hold",
    "waitlisted": "on-hold",
}
"""Task.status of each harmonised status; the status itself is Task.businessStatus."""

REQUEST_STATUS: Final = {"rejected": "revoked", "cancelled": "revoked", "completed": "completed"}
"""ServiceRequest.status of each harmonised status that is terminal; any other is active."""

REFERRAL_STATUS_SYSTEM: Final = _CODE_SYSTEM + "referral-status"
"""Code system of Task.businessStatus: the HL7 BSeR IG's harmonised states, and our two extensions."""
