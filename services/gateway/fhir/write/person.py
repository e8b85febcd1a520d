"""Patient: whom it is about."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

import msgspec

from services.gateway.fhir.outcome import refused
from services.gateway.fhir.write.codes import identifier_type
from services.gateway.fhir.write.elements import (
    Address,
    ContactPoint,
    HumanName,
    Identifier,
    Reference,
)
from services.gateway.fhir.write.reading import decode
from services.gateway.fhir.write.resources import Patient
from services.gateway.fhir.write.submission import Submission
from services.gateway.fhir.write.times import day, moment
from shared.events.base import Demographics
from shared.events.base import Identifier as Named
from shared.events.inbound import Person
from shared.fhir import assigner_of

Dated = TypeVar("Dated", HumanName, ContactPoint, Address)

_SSN: Final = "http://hl7.org/fhir/sid/us-ssn"
_NAMES: Final = ("official", "usual")


def subject(
    submission: Submission,
    told: Reference | None,
    contained: Sequence[msgspec.Raw],
    at: str,
    *,
    element: str = "subject",
    identified: bool = True,
) -> Person:
    """Return whom a resource is about; raises FhirError where that cannot be told.

    The Patient may be contained, in the Bundle, or ours; else the reference's own identifier says who it is.
    """
    path = f"{at}.{element}"
    if told is None:
        raise refused(422, "required", "It has to say which Patient it is about.", path)
    found = submission.scope.resolve(told, contained, at)
    if found is not None and found.kind == "Patient":
        return person(submission, decode(found.raw, Patient, found.at), found.at, identified=identified)
    if found is None and told.identifier and told.type in (None, "Patient"):
        named = identifier(told.identifier, submission.assigner)
        if named is not None:
            return Person(identifiers=(named,), demographics=Demographics())
    sentence = (
        "The reference leads to no Patient: neither contained, nor in the Bundle, nor one of ours that the"
        " sender may see; an identifier in the reference would do."
    )
    raise refused(422, "not-found", sentence, path)


def person(submission: Submission, patient: Patient, at: str, *, identified: bool = True) -> Person:
    """Read a Patient; raises FhirError where `identified` is asked and there is no identifier."""
    named = identifiers(patient.identifier, submission.assigner)
    if identified and not named:
        raise refused(422, "required", "At least one identifier with a value is needed.", f"{at}.identifier")
    died = moment(patient.deceased_date_time, f"{at}.deceased")
    return Person(
        identifiers=named,
        demographics=_demographics(patient, at),
        deceased=patient.deceased_boolean or patient.deceased_date_time is not None,
        died=died,
    )


def identifiers(told: Iterable[Identifier], own: str) -> tuple[Named, ...]:
    """Return those with a value, each once; `own` is whose they are that do not say so."""
    read = (identifier(each, own) for each in told)
    return tuple({(each.assigner, each.value): each for each in read if each}.values())


def identifier(told: Identifier, own: str, *, type: str | None = None) -> Named | None:
    """Return an identifier as intake claims it; None where it has no value."""
    value = (told.value or "").strip()
    if not value:
        return None
    assigner = assigner_of(told.system.strip()) if told.system and told.system.strip() else ""
    if not assigner and told.assigner:
        assigner = told.assigner.display or ""
    kind = type or identifier_type(told.type) or ("SS" if told.system == _SSN else "MR")
    return Named(assigner or own, value, kind)


def full_name(names: Iterable[HumanName]) -> str | None:
    """Return given and family name, or how the name is written."""
    name = _name(names)
    if name is None:
        return None
    return " ".join(filter(None, (*name.given, name.family))) or name.text


def phone(contacts: Iterable[ContactPoint]) -> str | None:
    """Return the first number that a person can call."""
    return _contact(contacts, {"phone", "sms"})


def _demographics(patient: Patient, at: str) -> Demographics:
    name = _name(patient.name)
    return Demographics(
        family=(name.family or (name.text if not name.given else None)) if name else None,
        given=tuple(filter(None, name.given)) if name else (),
        birth_date=day(patient.birth_date, f"{at}.birthDate"),
        sex=patient.gender,
        phone=phone(patient.telecom),
        email=_contact(patient.telecom, {"email"}),
        address=_address(patient.address),
        language=_language(patient),
    )


def _name(names: Iterable[HumanName]) -> HumanName | None:
    now = _in_use(names)
    return next((each for use in _NAMES for each in now if each.use == use), next(iter(now), None))


def _contact(contacts: Iterable[ContactPoint], systems: set[str]) -> str | None:
    return next((each.value for each in _in_use(contacts) if each.value and each.system in systems), None)


def _address(addresses: Iterable[Address]) -> str | None:
    told = next(iter(_in_use(addresses)), None)
    if told is None:
        return None
    region = " ".join(filter(None, (told.state, told.postal_code)))
    return ", ".join(filter(None, (*told.line, told.city, region, told.country))) or told.text


def _language(patient: Patient) -> str | None:
    ranked = sorted(patient.communication, key=lambda each: not each.preferred)
    return next((code.code for each in ranked for code in each.language.coding if code.code), None)


def _in_use(told: Iterable[Dated]) -> list[Dated]:
    """Leave out what is old: said to be, or with a period that is over."""
    return [each for each in told if each.use != "old" and not (each.period and each.period.end)]
