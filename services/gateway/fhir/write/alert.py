"""Alerts of a stay: the message Bundles of HL7 Da Vinci Unsolicited Notifications."""

from collections.abc import Iterator
from typing import Final

from services.gateway.fhir.outcome import refused
from services.gateway.fhir.write.codes import codings, identifier_type, words
from services.gateway.fhir.write.elements import CodeableConcept
from services.gateway.fhir.write.person import subject
from services.gateway.fhir.write.reading import decode
from services.gateway.fhir.write.resources import Condition, Encounter, MessageHeader, Organization
from services.gateway.fhir.write.scope import Resolved
from services.gateway.fhir.write.submission import Submission
from services.gateway.fhir.write.times import moment
from shared.events.encounter import EncounterClass
from shared.events.inbound import (
    Admission,
    AdmissionCancellation,
    Discharge,
    DischargeCancellation,
    InboundMessage,
    Transfer,
    Visit,
)

EVENTS: Final = ("notification-admit", "notification-transfer", "notification-discharge")
"""http://hl7.org/fhir/us/davinci-alerts/CodeSystem/notification-event"""

_VISIT_NUMBER: Final = "VN"
_NOT_SO: Final = frozenset({"cancelled", "entered-in-error"})
_UNRANKED: Final = 99
# v3-ActEncounterCode: those that are kinds of another are that other.
_CLASSES: Final[dict[str, EncounterClass]] = {
    "IMP": "IMP",
    "ACUTE": "IMP",
    "NONAC": "IMP",
    "EMER": "EMER",
    "AMB": "AMB",
    "VR": "AMB",
    "SS": "AMB",
    "OBSENC": "OBSENC",
    "PRENC": "PRENC",
    "HH": "HH",
}


def alert(submission: Submission, header: MessageHeader, event: str, at: str) -> InboundMessage:
    """Read an alert; raises FhirError."""
    found = _focus(submission, header, at)
    return _Stay(submission, decode(found.raw, Encounter, found.at), found.at, header).message(event)


def _focus(submission: Submission, header: MessageHeader, at: str) -> Resolved:
    """Return the stay that the header names; where it names none, the only one that there is."""
    named = (submission.scope.resolve(told, header.contained, at) for told in header.focus)
    if found := next((each for each in named if each and each.kind == "Encounter"), None):
        return found
    stays = list(submission.scope.all("Encounter"))
    if len(stays) == 1 and not header.focus:
        return Resolved(stays[0].kind, stays[0].raw, stays[0].at)
    sentence = "An alert is about an Encounter in the Bundle, which the focus names."
    raise refused(422, "required", sentence, f"{at}.focus")


class _Stay:
    def __init__(self, submission: Submission, told: Encounter, at: str, header: MessageHeader) -> None:
        self.submission = submission
        self.told = told
        self.at = at
        self.header = header
        period = told.period
        self.start = moment(period.start, f"{at}.period.start") if period else None
        self.end = moment(period.end, f"{at}.period.end") if period else None

    def message(self, event: str) -> InboundMessage:
        source, sent = self.submission.source, self.submission.occurred
        person = subject(self.submission, self.told.subject, self.told.contained, self.at)
        visit = self._visit(is_over=event == "notification-discharge")
        original = self.submission.original()
        if self.told.status in _NOT_SO and event != "notification-transfer":
            if visit.visit_number is None:
                sentence = "A cancellation is matched by the Encounter's identifier."
                raise refused(422, "required", sentence, f"{self.at}.identifier")
            kind = AdmissionCancellation if event == "notification-admit" else DischargeCancellation
            return kind(source=source, person=person, occurred=sent, visit=visit, original=original)
        if event == "notification-admit":
            when = self.start or sent
            return Admission(source=source, person=person, occurred=when, visit=visit, original=original)
        if event == "notification-discharge":
            when = self.end or sent
            return Discharge(source=source, person=person, occurred=when, visit=visit, original=original)
        return Transfer(
            source=source,
            person=person,
            occurred=sent,
            visit=visit,
            location=self._location(),
            original=original,
        )

    def _visit(self, *, is_over: bool) -> Visit:
        return Visit(
            facility=self._facility(),
            visit_number=self._number(),
            encounter_class=_CLASSES.get(self.told.class_.code or "", "UNK") if self.told.class_ else "UNK",
            admitted=self.start,
            discharged=self.end if is_over else None,
            disposition=self._disposition() if is_over else None,
            diagnoses=codings(self._diagnoses()),
        )

    def _facility(self) -> str:
        """Where the stay is: the service provider's name, else the sender's."""
        told = self.told.service_provider or self.header.sender
        found = self.submission.scope.read(told, self.told.contained, self.at, Organization, "Organization")
        name = (found.name if found else None) or (told.display if told else None)
        return name or self.header.source.name or self.submission.source

    def _number(self) -> str | None:
        """Return the visit number: an identifier of type VN, else the first with a value."""
        told = [each for each in self.told.identifier if (each.value or "").strip()]
        ranked = sorted(told, key=lambda each: identifier_type(each.type) != _VISIT_NUMBER)
        return next(((each.value or "").strip() for each in ranked), None)

    def _disposition(self) -> str | None:
        """Return a code of HL7 table 0112 (or UB-04, which it follows), else the words."""
        stay = self.told.hospitalization
        told = stay.discharge_disposition if stay else None
        if told is None:
            return None
        codes = (each.code for each in told.coding if each.code and each.code.isdecimal())
        if code := next(codes, None):
            return code
        is_death = any(each.code == "exp" for each in told.coding)
        return words(told) if not is_death else "Expired"

    def _location(self) -> str | None:
        now = [each for each in self.told.location if each.status != "completed"] or self.told.location
        if not now:
            return None
        told = now[-1].location
        found = self.submission.scope.read(told, self.told.contained, self.at, Organization, "Location")
        return (found.name if found else None) or told.display

    def _diagnoses(self) -> Iterator[CodeableConcept | None]:
        """The principal one first: the Encounter's by rank, its reasons, then every Condition sent along."""
        scope, contained = self.submission.scope, self.told.contained
        ranked = sorted(self.told.diagnosis, key=lambda each: each.rank or _UNRANKED)
        for told in (*(each.condition for each in ranked), *self.told.reason_reference):
            found = scope.read(told, contained, self.at, Condition, "Condition")
            yield found.code if found else CodeableConcept(text=told.display)
        yield from self.told.reason_code
        for entry in scope.all("Condition"):
            yield decode(entry.raw, Condition, entry.at).code
