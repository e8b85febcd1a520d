"""What a hospital sends, as it stands in INBOUND. The same words are the same message, with the same id."""

from datetime import UTC, date, datetime
from typing import Final, Literal
from uuid import UUID, uuid5

import msgspec

from shared.events.base import Coding, Demographics, Identifier
from shared.events.encounter import AppointmentStatus
from shared.events.inbound import (
    Admission,
    Amendment,
    AppointmentNotice,
    AssessmentReport,
    Cancellation,
    ConsentNotice,
    DemographicsUpdate,
    Discharge,
    DischargeCancellation,
    InboundEnvelope,
    InboundMessage,
    Information,
    Merge,
    Original,
    Person,
    Referral,
    ResultReport,
    Transfer,
    Visit,
)
from shared.events.moment import Moment

NOW: Final = datetime(2026, 3, 3, 15, tzinfo=UTC)
MAR_1: Final = "2026-03-01T10:00:00-05:00"
MAR_3: Final = "2026-03-03T10:00:00-05:00"
DEPRESSION: Final = Coding("icd-10-cm", "F33.2")
ADA: Final = Demographics(family="Lovelace", given=("Ada",), birth_date=date(1990, 12, 10), sex="female")


def mrn(value: str, assigner: str = "GENHOSP") -> Identifier:
    return Identifier(assigner, value)


class Hospital:
    """One sender: its name is also who assigns its numbers."""

    def __init__(self, source: str = "genhosp", who: Demographics = ADA) -> None:
        self.source = source
        self.who = who

    def placer(self, number: str) -> Identifier:
        return Identifier(self.source, number, "PLAC")

    def refers(self, number: str, *identifiers: Identifier, control: str = "") -> InboundEnvelope:
        return self._envelope(
            Referral(
                source=self.source,
                person=self._person(*identifiers),
                occurred=MAR_1,
                original=_original(f"R{number}{control}", "REF^I12"),
                placer=self.placer(number),
            )
        )

    def consents(
        self, number: str, *identifiers: Identifier, status: Literal["active", "inactive"] = "active"
    ) -> InboundEnvelope:
        """What the hospital itself may be told, or no more."""
        return self._envelope(
            ConsentNotice(
                source=self.source,
                person=self._person(*identifiers),
                occurred=MAR_1,
                original=_original(f"C{number}{status}", "fhir:Consent"),
                status=status,
                number=Identifier(self.source, number, "CONS"),
                recipients=(self.source,) if status == "active" else (),
            )
        )

    def amends(self, number: str, *identifiers: Identifier) -> InboundEnvelope:
        return self._envelope(
            Amendment(
                source=self.source,
                person=self._person(*identifiers),
                occurred=MAR_3,
                original=_original(f"A{number}", "REF^I13"),
                placer=self.placer(number),
                priority="urgent",
            )
        )

    def cancels_referral(self, number: str, *identifiers: Identifier) -> InboundEnvelope:
        return self._envelope(
            Cancellation(
                source=self.source,
                person=self._person(*identifiers),
                occurred=MAR_3,
                original=_original(f"X{number}", "REF^I14"),
                placer=self.placer(number),
                reason="moved away",
            )
        )

    def informs(self, number: str, what: str) -> InboundEnvelope:
        return self._envelope(
            Information(
                source=self.source,
                person=self._person(),
                occurred=MAR_3,
                original=_original(f"I{number}", "Task"),
                placer=self.placer(number),
                what=what,
            )
        )

    def admits(self, visit: str, *identifiers: Identifier, occurred: Moment = MAR_1) -> InboundEnvelope:
        return self._envelope(
            Admission(
                source=self.source,
                person=self._person(*identifiers),
                occurred=occurred,
                original=_original(f"ADM{visit}", "ADT^A01"),
                visit=_visit(visit, occurred, None),
            )
        )

    def transfers(self, visit: str, *identifiers: Identifier) -> InboundEnvelope:
        return self._envelope(
            Transfer(
                source=self.source,
                person=self._person(*identifiers),
                occurred=MAR_3,
                original=_original(f"T{visit}", "ADT^A02"),
                visit=_visit(visit, None, None),
                location="4 West",
            )
        )

    def discharges(
        self, visit: str, *identifiers: Identifier, occurred: Moment = MAR_3, control: str = ""
    ) -> InboundEnvelope:
        return self._envelope(
            Discharge(
                source=self.source,
                person=self._person(*identifiers),
                occurred=occurred,
                original=_original(f"D{visit}{control}", "ADT^A03"),
                visit=_visit(visit, None, occurred),
            )
        )

    def cancels_discharge(self, visit: str, *identifiers: Identifier) -> InboundEnvelope:
        return self._envelope(
            DischargeCancellation(
                source=self.source,
                person=self._person(*identifiers),
                occurred="2026-03-03T12:00:00-05:00",
                original=_original(f"U{visit}", "ADT^A13"),
                visit=_visit(visit, None, None),
            )
        )

    def corrects(self, who: Demographics, *identifiers: Identifier) -> InboundEnvelope:
        return self._envelope(
            DemographicsUpdate(
                source=self.source,
                person=Person(identifiers=identifiers, demographics=who),
                occurred=MAR_3,
                original=_original("A31", "ADT^A31"),
            )
        )

    def tells_of_death(self, *identifiers: Identifier) -> InboundEnvelope:
        person = Person(identifiers=identifiers, demographics=self.who, deceased=True)
        return self._envelope(
            DemographicsUpdate(
                source=self.source, person=person, occurred=MAR_3, original=_original("A08", "ADT^A08")
            )
        )

    def merges(self, prior: Identifier, into: Identifier, *, control: str = "") -> InboundEnvelope:
        return self._envelope(
            Merge(
                source=self.source,
                person=self._person(into),
                occurred=MAR_3,
                original=_original(f"M{prior.value}{into.value}{control}", "ADT^A40"),
                prior=(prior,),
            )
        )

    def books(self, number: str, status: AppointmentStatus, *identifiers: Identifier) -> InboundEnvelope:
        return self._envelope(
            AppointmentNotice(
                source=self.source,
                person=self._person(*identifiers),
                occurred=MAR_1,
                original=_original(f"S{number}{status}", "SIU^S12"),
                appointment=Identifier(self.source, number),
                status=status,
                start=MAR_3,
            )
        )

    def reports(self, total: int, *identifiers: Identifier, answer: int = 1) -> InboundEnvelope:
        """A GAD-7 with the same answer to every question."""
        return self._envelope(
            AssessmentReport(
                source=self.source,
                person=self._person(*identifiers),
                occurred=MAR_3,
                original=_original(f"O{total}", "ORU^R01"),
                instrument="GAD-7",
                items={str(number): answer for number in range(1, 8)},
                administered_at=MAR_3,
                total=total,
            )
        )

    def reports_potassium(self, *identifiers: Identifier) -> InboundEnvelope:
        return self._envelope(
            ResultReport(
                source=self.source,
                person=self._person(*identifiers),
                occurred=MAR_3,
                original=_original("K", "ORU^R01"),
                codes=(Coding("loinc", "2823-3"),),
            )
        )

    def _person(self, *identifiers: Identifier) -> Person:
        return Person(identifiers=identifiers, demographics=self.who)

    def _envelope(self, data: InboundMessage) -> InboundEnvelope:
        return InboundEnvelope(
            specversion="1.0",
            id=uuid5(UUID(int=7), msgspec.json.encode(data).decode()),
            source="/throughcare/gateway",
            type=f"throughcare.inbound.{type(data).__name__}",
            time=NOW.isoformat(),
            datacontenttype="application/json",
            data=data,
        )


def subject_of(envelope: InboundEnvelope) -> str:
    """Return the subject that a gateway stores the message under."""
    return f"inbound.{envelope.data.source}.{envelope.data.kind}"


def _original(control_id: str, trigger: str) -> Original:
    return Original(format="hl7v2", text="MSH|…", control_id=control_id, trigger=trigger)


def _visit(number: str, admitted: Moment | None, discharged: Moment | None) -> Visit:
    return Visit(
        facility="General Hospital",
        visit_number=number,
        encounter_class="IMP",
        admitted=admitted,
        discharged=discharged,
        diagnoses=(DEPRESSION,),
    )
