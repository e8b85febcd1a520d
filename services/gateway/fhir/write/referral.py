"""ServiceRequest, with what stands beside it: a referral, its amendment, or its withdrawal."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final

from services.gateway.fhir.outcome import refused
from services.gateway.fhir.write.codes import codings, identifier_type, words
from services.gateway.fhir.write.elements import CodeableConcept, Identifier, Reference
from services.gateway.fhir.write.person import full_name, identifier, phone, subject
from services.gateway.fhir.write.reading import decode
from services.gateway.fhir.write.resources import (
    Condition,
    Coverage,
    DocumentReference,
    Organization,
    Practitioner,
    PractitionerRole,
    ServiceRequest,
)
from services.gateway.fhir.write.submission import Submission
from services.gateway.fhir.write.times import moment
from shared.events.base import Coding
from shared.events.base import Identifier as Named
from shared.events.inbound import Amendment, Cancellation, Referral
from shared.events.referral import Insurance, ReferralSource, Referrer

WITHDRAWN: Final = frozenset({"revoked", "entered-in-error"})
_PLACER: Final = "PLAC"


class Asked:
    """A ServiceRequest being read, at its place in a submission."""

    def __init__(self, submission: Submission, request: ServiceRequest, at: str) -> None:
        self.submission = submission
        self.request = request
        self.at = at
        self.contained = request.contained

    @cached_property
    def placer(self) -> Named:
        """The sender's number: an identifier of type PLAC, else the first, else the sender's id."""
        told = placer(self.request.identifier, self.submission.assigner)
        return told or self.submission.own(self.request.id or self.submission.control_id)

    def referral(self) -> Referral:
        """Read a new referral; raises FhirError."""
        self._check()
        request = self.request
        written = moment(request.authored_on, f"{self.at}.authoredOn")
        return Referral(
            source=self.submission.source,
            person=subject(self.submission, request.subject, self.contained, self.at, identified=False),
            occurred=written or self.submission.occurred,
            placer=self.placer,
            referral_source=self._source(),
            priority=request.priority or "routine",
            referrer=self._referrer(),
            service_requested=next(iter(codings([request.code])), None),
            reasons=self._reasons(),
            documents=tuple(self._documents()),
            insurance=tuple(self._insurance()),
            requested_on=written,
            original=self.submission.original(),
        )

    def amendment(self, known: Named) -> Amendment:
        """Read the referral as it is asked for now; `known` is the number under which it is known."""
        self._check()
        request = self.request
        return Amendment(
            source=self.submission.source,
            person=subject(self.submission, request.subject, self.contained, self.at, identified=False),
            occurred=self.submission.occurred,
            placer=known,
            priority=request.priority or "routine",
            referrer=self._referrer() if request.requester else None,
            service_requested=next(iter(codings([request.code])), None),
            reasons=self._reasons(),
            insurance=tuple(self._insurance()),
            original=self.submission.original(),
        )

    def cancellation(self, known: Named) -> Cancellation:
        """Read the withdrawal of a referral."""
        return Cancellation(
            source=self.submission.source,
            person=subject(self.submission, self.request.subject, self.contained, self.at, identified=False),
            occurred=self.submission.occurred,
            placer=known,
            original=self.submission.original(),
        )

    def _check(self) -> None:
        if self.request.do_not_perform:
            raise refused(
                422, "business-rule", "It asks that something be not done.", f"{self.at}.doNotPerform"
            )
        if self.request.status != "active":
            sentence = "A referral has to be active; revoked or entered-in-error withdraws one."
            raise refused(422, "business-rule", sentence, f"{self.at}.status")

    def _source(self) -> ReferralSource:
        requester = self.request.requester
        if requester is None:
            return "hospital"
        found = self.submission.scope.resolve(requester, self.contained, self.at)
        kind = found.kind if found else requester.type or (requester.reference or "").partition("/")[0]
        return "self" if kind == "Patient" else "community" if kind == "RelatedPerson" else "hospital"

    def _referrer(self) -> Referrer:
        told = self.request.requester
        if told is None:
            return Referrer()
        found = self.submission.scope.resolve(told, self.contained, self.at)
        match found.kind if found else None:
            case "Practitioner" | "RelatedPerson" if found:
                who = decode(found.raw, Practitioner, found.at)
                return Referrer(name=full_name(who.name) or told.display, phone=phone(who.telecom))
            case "PractitionerRole" if found:
                return self._role(decode(found.raw, PractitionerRole, found.at), told)
            case "Organization" if found:
                what = decode(found.raw, Organization, found.at)
                return Referrer(organisation=what.name or told.display, phone=phone(what.telecom))
            case _:
                return Referrer(name=told.display)

    def _role(self, role: PractitionerRole, told: Reference) -> Referrer:
        scope = self.submission.scope
        who = scope.read(role.practitioner, self.contained, self.at, Practitioner, "Practitioner")
        where = scope.read(role.organization, self.contained, self.at, Organization, "Organization")
        return Referrer(
            name=(full_name(who.name) if who else None)
            or (role.practitioner.display if role.practitioner else None)
            or told.display,
            organisation=(where.name if where else None)
            or (role.organization.display if role.organization else None),
            phone=phone((*role.telecom, *(who.telecom if who else ()), *(where.telecom if where else ()))),
        )

    def _reasons(self) -> tuple[Coding, ...]:
        """Codes first, then the Conditions that are named."""
        return codings([*self.request.reason_code, *self._conditions()])

    def _conditions(self) -> Iterator[CodeableConcept | None]:
        for told in self.request.reason_reference:
            found = self.submission.scope.read(told, self.contained, self.at, Condition, "Condition")
            yield found.code if found else _displayed(told)

    def _documents(self) -> Iterator[str]:
        """Name the documents sent along; their content stays in the original."""
        for told in self.request.supporting_info:
            found = self.submission.scope.resolve(told, self.contained, self.at)
            if found is None:
                if told.display:
                    yield told.display
            elif found.kind == "DocumentReference":
                yield _document(decode(found.raw, DocumentReference, found.at))

    def _insurance(self) -> Iterator[Insurance]:
        """The Coverages that are named, else every one that was sent along."""
        scope = self.submission.scope
        named = [scope.resolve(told, self.contained, self.at) for told in self.request.insurance]
        found = [each for each in named if each and each.kind == "Coverage"]
        for each in found or scope.all("Coverage"):
            if coverage := self._coverage(decode(each.raw, Coverage, each.at), each.at):
                yield coverage
        for told, each in zip(self.request.insurance, named, strict=True):
            if each is None and told.display:
                yield Insurance(payer=told.display)

    def _coverage(self, told: Coverage, at: str) -> Insurance | None:
        payor = next(iter(told.payor), None)
        found = self.submission.scope.read(payor, told.contained, at, Organization, "Organization")
        payer = (found.name if found else None) or (payor.display if payor else None)
        if not payer:
            self.submission.warn("A Coverage whose payor has no name was left out.")
            return None
        plans = (each.name or each.value for each in told.class_)
        return Insurance(
            payer=payer,
            member_id=told.subscriber_id,
            plan=next(filter(None, plans), None) or words(told.type),
        )


def placer(told: Sequence[Identifier], own: str) -> Named | None:
    """Return the placer's number among identifiers: the one of type PLAC, else the first with a value."""
    ranked = sorted(told, key=lambda each: identifier_type(each.type) != _PLACER) if len(told) > 1 else told
    return next((named for each in ranked if (named := identifier(each, own, type=_PLACER))), None)


def _displayed(told: Reference) -> CodeableConcept | None:
    return CodeableConcept(text=told.display) if told.display else None


def _document(told: DocumentReference) -> str:
    attached = (each.attachment.title or each.attachment.url for each in told.content)
    return told.description or next(filter(None, attached), None) or "document"
