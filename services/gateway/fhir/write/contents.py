"""What a request's resources say together: one referral with all that stands beside it, a Task, answers."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple
from uuid import UUID

from services.gateway.fhir.outcome import FhirError, refused
from services.gateway.fhir.write import assessment, consent, task
from services.gateway.fhir.write.person import identifier
from services.gateway.fhir.write.reading import decode
from services.gateway.fhir.write.referral import WITHDRAWN, Asked, placer
from services.gateway.fhir.write.resources import (
    Consent,
    Observation,
    QuestionnaireResponse,
    ServiceRequest,
    Task,
    TaskChange,
)
from services.gateway.fhir.write.scope import Entry
from services.gateway.fhir.write.submission import Submission
from shared.events.base import Demographics, Identifier
from shared.events.inbound import AssessmentReport, InboundMessage, Person, ResultReport

TAKEN: Final = ("ServiceRequest", "Task", "QuestionnaireResponse", "Observation", "Consent")
"""The types that have a meaning of their own; others are read where these refer to them."""


class Told(NamedTuple):
    """A message, and the entries (by their paths) that it is the meaning of."""

    message: InboundMessage
    entries: tuple[str, ...]


class Known(NamedTuple):
    """The referral that a Task is about: its number, and the Task as the sender last read it."""

    placer: Identifier
    task: TaskChange | None = None


Changes = Mapping[str, str]
"""By an entry's path, the id in the address of its PUT."""


def contents(submission: Submission, changes: Changes | None = None, *, event: str = "") -> list[Told]:
    """Translate every entry in scope that has a meaning; raises FhirError where one cannot be taken.

    `event` is the code of HL7 table 0003 that a message says it is: I13 changes, I14 withdraws a referral.
    """
    reading = _Contents(submission, changes or {}, event)
    found = [
        *reading.requests(),
        *reading.tasks(),
        *reading.consents(),
        *reading.responses(),
        *reading.observations(),
    ]
    if not found:
        names = ", ".join(TAKEN)
        raise refused(422, "not-supported", f"Nothing in it is taken; taken are {names}.", "Bundle.entry")
    return found


class _Contents:
    def __init__(self, submission: Submission, changes: Changes, event: str) -> None:
        self.submission = submission
        self.scope = submission.scope
        self.changes = changes
        self.event = event
        self.referrals: dict[str, Asked] = {}  # by the ServiceRequest's path
        self.beside: dict[str, list[tuple[str, TaskChange]]] = {}

    def requests(self) -> Iterator[Told]:
        """Give a message for each ServiceRequest, and for the Tasks that go with it."""
        for entry in self.scope.all("ServiceRequest"):
            request = decode(entry.raw, ServiceRequest, entry.at)
            self.referrals[entry.at] = Asked(self.submission, request, entry.at)
        for entry in self.scope.all("Task"):
            self._beside(entry)
        for at, asked in self.referrals.items():
            tasks = self.beside.get(at, [])
            yield Told(self._request(asked, tasks), (at, *(place for place, _ in tasks)))

    def _beside(self, entry: Entry) -> None:
        """Note a Task whose focus is a ServiceRequest that is here, too."""
        read = decode(entry.raw, Task, entry.at)
        for told in (read.focus, *read.based_on):
            found = self.scope.resolve(told, read.contained, entry.at)
            if found is None or found.kind != "ServiceRequest":
                continue
            if found.at.startswith(f"{entry.at}.contained"):
                request = decode(found.raw, ServiceRequest, found.at)
                asked = Asked(self.submission, request, found.at)
                asked.contained = read.contained
                self.referrals[found.at] = asked
            if found.at in self.referrals:
                self.beside.setdefault(found.at, []).append((entry.at, task.change_of(read)))
                return

    def _request(self, asked: Asked, tasks: Iterable[tuple[str, TaskChange]]) -> InboundMessage:
        number = asked.placer
        self.submission.name(number.value)
        for at, change in tasks:
            if change.status == "cancelled":
                return task.told(self.submission, change, number, _nobody(), at)
        if asked.request.status in WITHDRAWN or self.event == "I14":
            return asked.cancellation(number)
        if asked.at in self.changes or self.event == "I13":
            return asked.amendment(self._same_number(asked, number))
        return asked.referral()

    def _same_number(self, asked: Asked, number: Identifier) -> Identifier:
        """Return the number of the referral at the address of a PUT, where it is one of ours."""
        ours = self.scope.ours.get(("ServiceRequest", self.changes.get(asked.at, "")))
        if ours is None:
            return number
        known = placer(decode(ours, ServiceRequest, asked.at).identifier, self.submission.assigner)
        return known or number

    def tasks(self) -> Iterator[Told]:
        """Give a message for each Task about a referral that was sent before."""
        beside = {place for tasks in self.beside.values() for place, _ in tasks}
        for entry in self.scope.all("Task"):
            if entry.at in beside:
                continue
            read = decode(entry.raw, Task, entry.at)
            known = self._known(read, entry)
            change = task.change_of(read)
            if known.task is not None:
                change = task.without(change, known.task)
            self.submission.name(known.placer.value)
            yield Told(task.told(self.submission, change, known.placer, _nobody(), entry.at), (entry.at,))

    def _known(self, read: Task, entry: Entry) -> Known:
        """Find the referral: the Task at the PUT's address, its focus or basis, else its own identifier."""
        ours = self.scope.ours.get(("Task", self.changes.get(entry.at, "")))
        held = known_task(ours, self.submission.assigner) if ours else None
        if held is not None:
            return held
        for told in (read.focus, *read.based_on):
            found = self.scope.resolve(told, read.contained, entry.at)
            if found is not None and found.kind == "ServiceRequest":
                request = decode(found.raw, ServiceRequest, found.at)
                if number := placer(request.identifier, self.submission.assigner):
                    return Known(number)
            if told and told.identifier:
                number = identifier(told.identifier, self.submission.assigner, type="PLAC")
                if number is not None:
                    return Known(number)
        if number := placer(read.identifier, self.submission.assigner):
            return Known(number)
        sentence = (
            "The focus has to lead to the ServiceRequest of a referral: one of ours that the sender may see,"
            " or an identifier that it was sent under."
        )
        raise refused(422, "not-found", sentence, f"{entry.at}.focus")

    def consents(self) -> Iterator[Told]:
        """Give each Consent; beside a referral, one that cannot be taken is left out with a warning."""
        for entry in self.scope.all("Consent"):
            try:
                read = decode(entry.raw, Consent, entry.at)
                message = consent.notice(self.submission, read, entry.at, replaces=self._place(entry))
            except FhirError as error:
                if not self.referrals:
                    raise
                self._left_out(error)
            else:
                yield Told(message, (entry.at,))

    def _left_out(self, error: FhirError) -> None:
        for each in error.issues:
            where = ", ".join(each.expression)
            self.submission.warn(f"The Consent was left out. {where}: {each.diagnostics}")

    def _place(self, entry: Entry) -> UUID | None:
        """Return the id at the address of a PUT of the resource itself."""
        id = self.changes.get(entry.at)
        return UUID(id) if id else None

    def responses(self) -> Iterator[Told]:
        """Give the answers of each QuestionnaireResponse."""
        for entry in self.scope.all("QuestionnaireResponse"):
            read = decode(entry.raw, QuestionnaireResponse, entry.at)
            self.submission.name(read.identifier.value if read.identifier else None)
            told = assessment.of_response(self.submission, read, entry.at)
            yield from (Told(each, (entry.at,)) for each in self._worth(told))

    def observations(self) -> Iterator[Told]:
        """Give the answers of Observations, but of those that repeat a QuestionnaireResponse that is here."""
        entries = [entry for entry in self.scope.all("Observation") if not self._repeats(entry)]
        if not entries:
            return
        if len(self.scope.entries) == 1:
            read = decode(entries[0].raw, Observation, entries[0].at)
            self.submission.name(next((each.value for each in read.identifier if each.value), None))
        places = tuple(entry.at for entry in entries)
        for each in self._worth(assessment.of_observations(self.submission, entries)):
            yield Told(each, places)

    def _worth(
        self, told: Iterable[AssessmentReport | ResultReport]
    ) -> Iterable[AssessmentReport | ResultReport]:
        """Leave out what nothing follows from where a referral stands beside it: its text holds it."""
        return (each for each in told if not (self.referrals and isinstance(each, ResultReport)))

    def _repeats(self, entry: Entry) -> bool:
        read = decode(entry.raw, Observation, entry.at)
        found = (self.scope.resolve(each, read.contained, entry.at) for each in read.derived_from)
        return any(each is not None and each.kind == "QuestionnaireResponse" for each in found)


def known_task(raw: bytes, own: str) -> Known | None:
    """Read a Task of ours: it carries the referral's number."""
    read = decode(raw, Task, "Task")
    number = placer(read.identifier, own)
    return Known(number, task.change_of(read)) if number else None


def _nobody() -> Person:
    """A referral is found by its number; whose it is stands in its record."""
    return Person(identifiers=(), demographics=Demographics())
