"""Who may lead which type of session.

The program's own policy, as a table to be edited: what a state's law or a payer asks for differs from place
to place, and neither ASAM nor HL7 says it. Credentials are written as on the licence; case does not matter.
"""

from collections.abc import Mapping

from shared.events.session import SessionType

_PRESCRIBERS = frozenset({"MD", "DO", "NP", "PMHNP", "PA"})
_THERAPISTS = frozenset({"LCSW", "LICSW", "LPC", "LPCC", "LMHC", "LMFT", "PsyD", "PhD", "MD", "DO"})
_EDUCATORS = _THERAPISTS | _PRESCRIBERS | {"RN", "CADC", "LADC", "QMHP"}
_SUPPORTERS = _EDUCATORS | {"peer", "CPRS", "CPS", "OT", "COTA", "CRC"}

POLICY: Mapping[SessionType, frozenset[str]] = {
    "individual": _THERAPISTS,
    "group": _THERAPISTS,
    "family": _THERAPISTS,
    "medication": _PRESCRIBERS,
    "psychoeducation": _EDUCATORS,
    "skills": _EDUCATORS,
    "life-skills": _SUPPORTERS,
    "vocational": _SUPPORTERS,
    "social": _SUPPORTERS,
}


def may_lead(type: SessionType, credential: str) -> bool:
    """Tell whether the policy lets somebody with this credential lead a session of this type."""
    return credential.strip().casefold() in {each.casefold() for each in POLICY[type]}
