"""Consent: to whom a participant lets us tell what (http://hl7.org/fhir/R4/consent.html).

One permission is taken: its actors are the recipients, its class the types of resources, its labels whether
substance-use treatment or counselling notes are meant. What narrows it in a way that we cannot keep to is
refused rather than passed over.
"""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from services.gateway.fhir.outcome import FhirError, IssueType, refused
from services.gateway.fhir.write.elements import Coding, Reference
from services.gateway.fhir.write.person import identifier, subject
from services.gateway.fhir.write.resources import Consent, Organization, Provision
from services.gateway.fhir.write.submission import Submission
from services.gateway.fhir.write.times import moment
from shared.disclosure import TREATMENT, protection_of
from shared.events.base import Identifier
from shared.events.inbound import ConsentNotice
from shared.events.moment import Moment
from shared.fhir import RECIPIENT_CLASS, RECIPIENT_SOURCE, RESOURCE_TYPES

_SCOPES: Final = frozenset({"patient-privacy", "treatment"})
_NOT_YET: Final = frozenset({"draft", "proposed"})
_RECIPIENTS: Final = frozenset({"PRCP", "IRCP", "GRANTEE"})  # HL7 v3 ParticipationType, RoleCode
_TELLING: Final = frozenset({"access", "use", "disclose"})  # of the code system consentaction
_LABELS: Final = frozenset({"MH", "BH", "SUD", "ETHUD", "OPIOIDUD", "PSYTHPN", "N", "R", "V"})
_PART2_POLICY: Final = "42CFRPart2"  # HL7 v3 ActCode


def notice(submission: Submission, told: Consent, at: str, *, replaces: UUID | None = None) -> ConsentNotice:
    """Return what a Consent says; `replaces` is the id at the address of a PUT. Raises FhirError."""
    if told.status in _NOT_YET:
        raise _no_rule(f"{at}.status", "A Consent is taken when it is active, and when it has ended.")
    number = _number(submission, told)
    submission.name(number.value if number else None)
    whom = subject(submission, told.patient, told.contained, at, element="patient")
    known = ConsentNotice(
        source=submission.source,
        person=whom,
        occurred=moment(told.date_time, f"{at}.dateTime") or submission.occurred,
        original=submission.original(),
        status="inactive",
        number=number,
        consent=None if number else replaces,
        reason=told.status if told.status != "inactive" else None,
    )
    return known if told.status != "active" else _granted(submission, told, known, at)


def _granted(submission: Submission, told: Consent, known: ConsentNotice, at: str) -> ConsentNotice:
    _check_scope(told, at)
    permit, path = _permission(told, at)
    _check_kept(permit, path)
    period = permit.period or (told.provision.period if told.provision else None)
    labels = _labels(permit, path)
    protection = protection_of(labels)
    names, classes = _recipients(submission, told, permit, path)
    return ConsentNotice(
        source=known.source,
        person=known.person,
        occurred=known.occurred,
        original=submission.original(),
        status="active",
        number=known.number,
        consent=known.consent,
        recipients=names,
        classes=classes,
        purpose=_codes(permit.purpose) or (TREATMENT,),
        scope=_types(permit, path),
        starts=_day(period.start if period else None, f"{path}.period.start"),
        expires=_day(period.end if period else None, f"{path}.period.end"),
        part2=protection in ("part2", "part2-notes") or _is_part2(told),
        counselling_notes=protection in ("notes", "part2-notes"),
    )


def _number(submission: Submission, told: Consent) -> Identifier | None:
    read = (identifier(each, submission.assigner, type="CONS") for each in told.identifier)
    return next(filter(None, read), None)


def _check_scope(told: Consent, at: str) -> None:
    if not _SCOPES.intersection(each.code for each in told.scope.coding):
        raise _cannot(f"{at}.scope", "Taken are consents about privacy and about treatment.")


def _permission(told: Consent, at: str) -> tuple[Provision, str]:
    """Return the one provision that permits: the first one itself, or the only one within it."""
    root, path = told.provision, f"{at}.provision"
    if root is None:
        raise refused(422, "required", "It has to say what is permitted.", path)
    if root.type == "permit" and not root.provision:
        return root, path
    within = root.provision
    if len(within) != 1 or within[0].type != "permit" or within[0].provision or root.type == "permit":
        sentence = "One permission is taken, without exceptions: what it does not permit is not told."
        raise _cannot(path, sentence)
    return within[0], f"{path}.provision[0]"


def _check_kept(permit: Provision, at: str) -> None:
    """Refuse what narrows the permission beyond what can be kept to."""
    narrowing = {"code": permit.code, "data": permit.data, "dataPeriod": permit.data_period}
    for name, told in narrowing.items():
        if told:
            raise _cannot(f"{at}.{name}", "A permission for a part of a resource cannot be kept to.")
    actions = {each.code for action in permit.action for each in action.coding}
    if permit.action and not actions & _TELLING:
        raise _cannot(f"{at}.action", "It permits neither to disclose nor to access.")


def _labels(permit: Provision, at: str) -> frozenset[str]:
    labels = frozenset(_codes(permit.security_label))
    if labels - _LABELS:
        sentence = f"Labels that are understood are {', '.join(sorted(_LABELS))}."
        raise _cannot(f"{at}.securityLabel", sentence)
    if "PSYTHPN" in labels and labels & {"MH", "BH"}:
        sentence = "Counselling notes need a consent of their own (45 CFR 164.508, 42 CFR 2.31)."
        raise _no_rule(f"{at}.securityLabel", sentence)
    return labels


def _is_part2(told: Consent) -> bool:
    policy = told.policy_rule.coding if told.policy_rule else ()
    return any(each.code == _PART2_POLICY for each in policy)


def _types(permit: Provision, at: str) -> tuple[str, ...]:
    if any(each.system not in (RESOURCE_TYPES, None) for each in permit.class_):
        raise _cannot(f"{at}.class", f"Classes of records are told as {RESOURCE_TYPES}.")
    return _codes(permit.class_)


def _codes(told: tuple[Coding, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.code for each in told if each.code))


def _day(told: str | None, at: str) -> Moment | None:
    """Read an end of the period: taken for open, a year or a month would permit for ever."""
    read = moment(told, at)
    if told is not None and read is None:
        raise refused(422, "value", "A consent begins and ends on a day, or at a time.", at)
    return read


def _recipients(
    submission: Submission, told: Consent, permit: Provision, at: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sources and the classes that it names; raises FhirError where it names nobody."""
    names: list[str] = []
    classes: list[str] = []
    for number, actor in enumerate(permit.actor):
        if not _RECIPIENTS.intersection(each.code for each in actor.role.coding):
            continue
        path = f"{at}.actor[{number}].reference"
        for is_class, name in _named(submission, told, actor.reference, path):
            (classes if is_class else names).append(name)
    if not names and not classes:
        sentence = (
            "It has to name its recipients: actors with the role PRCP or IRCP, whose reference or"
            f" Organization has an identifier of the system {RECIPIENT_SOURCE} or {RECIPIENT_CLASS}."
        )
        raise refused(422, "required", sentence, f"{at}.actor")
    return tuple(dict.fromkeys(names)), tuple(dict.fromkeys(classes))


def _named(
    submission: Submission, told: Consent, reference: Reference, at: str
) -> Iterator[tuple[bool, str]]:
    """Give each name or class of a recipient; a warning where there is none that we know."""
    found = submission.scope.read(reference, told.contained, at, Organization, "Organization")
    own = (reference.identifier,) if reference.identifier else ()
    numbers = (*own, *(found.identifier if found else ()))
    known = [each for each in numbers if each.value and each.system in (RECIPIENT_SOURCE, RECIPIENT_CLASS)]
    if not known:
        submission.warn(f"{at} names nobody who is known here; it was left out.")
    for each in known:
        yield each.system == RECIPIENT_CLASS, (each.value or "").strip()


def _no_rule(at: str, sentence: str) -> FhirError:
    return _error("business-rule", at, sentence)


def _cannot(at: str, sentence: str) -> FhirError:
    return _error("not-supported", at, sentence)


def _error(code: IssueType, at: str, sentence: str) -> FhirError:
    return refused(422, code, sentence, at)
