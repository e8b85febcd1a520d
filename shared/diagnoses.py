"""Which discharges concern the program: those with a mental-health or substance-use diagnosis."""

from collections.abc import Sequence

from shared.events.base import Coding

_ICD_10 = "icd-10-cm"
_SUBSTANCE_USE = tuple(f"F{number}" for number in range(10, 20))
# Mental and behavioural disorders, and intentional self-harm (HEDIS FUH and FUI value sets, by chapter).
_BEHAVIOURAL = ("F", "R45.851", "T14.91", *(f"X{number}" for number in range(71, 84)))


def concerns_the_program(diagnoses: Sequence[Coding]) -> bool:
    """Tell whether a discharge calls for a step-down and follow-ups.

    Many hospitals send no diagnosis with a discharge: a participant's then counts, for a superfluous task
    costs less than a missed follow-up. Codes that are not ICD-10-CM cannot be told and do not count.
    """
    return not diagnoses or any(_starts_with(diagnosis, _BEHAVIOURAL) for diagnosis in diagnoses)


def is_substance_use(diagnosis: Coding | None) -> bool:
    """Tell whether the diagnosis is of substance use (ICD-10-CM F10 to F19)."""
    return diagnosis is not None and _starts_with(diagnosis, _SUBSTANCE_USE)


def principal(diagnoses: Sequence[Coding]) -> Coding | None:
    """Return the diagnosis that the step-down is for: the first that concerns the program."""
    return next((each for each in diagnoses if _starts_with(each, _BEHAVIOURAL)), None)


def _starts_with(diagnosis: Coding, beginnings: tuple[str, ...]) -> bool:
    return diagnosis.system == _ICD_10 and diagnosis.code.upper().startswith(beginnings)
