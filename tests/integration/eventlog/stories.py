"""What these tests say over and over: people, their messages, and the commands about them."""

from datetime import UTC, datetime
from uuid import UUID, uuid4, uuid5

import msgspec

from shared.commands.intake import RegisterParticipant
from shared.events.base import Coding, Demographics, Identifier
from shared.events.inbound import (
    Discharge,
    DischargeCancellation,
    InboundEnvelope,
    InboundMessage,
    Original,
    Person,
    Referral,
    Visit,
)

NOW = datetime(2026, 3, 3, 15, tzinfo=UTC)
HOSPITAL = "general"
DEPRESSION = Coding("icd-10-cm", "F33.2")


def mrn(value: str) -> Identifier:
    return Identifier("GENHOSP", value)


def register(participant: UUID, *values: str, id: UUID | None = None) -> RegisterParticipant:
    """Register a participant, or of one who is link the identifiers that are new: an event for each."""
    return RegisterParticipant(
        id=id or uuid4(),
        participant=participant,
        actor="coordinator:7",
        now=NOW,
        demographics=Demographics(family="Example"),
        identifiers=tuple(mrn(value) for value in values),
    )


def referral(number: str, *identifiers: Identifier) -> InboundEnvelope:
    return _envelope(
        Referral(
            source=HOSPITAL,
            person=_person(*identifiers),
            occurred="2026-03-01T10:00:00-05:00",
            original=_original(f"R{number}", "REF^I12"),
            placer=Identifier("GENHOSP", f"placer-{number}", "PLAC"),
        )
    )


def discharge(visit: str, *identifiers: Identifier) -> InboundEnvelope:
    return _envelope(
        Discharge(
            source=HOSPITAL,
            person=_person(*identifiers),
            occurred="2026-03-02T11:00:00-05:00",
            original=_original(f"D{visit}", "ADT^A03"),
            visit=_visit(visit),
        )
    )


def discharge_cancelled(visit: str, *identifiers: Identifier) -> InboundEnvelope:
    return _envelope(
        DischargeCancellation(
            source=HOSPITAL,
            person=_person(*identifiers),
            occurred="2026-03-02T12:00:00-05:00",
            original=_original(f"C{visit}", "ADT^A13"),
            visit=_visit(visit),
        )
    )


def subject_of(envelope: InboundEnvelope) -> str:
    kind = "referral" if isinstance(envelope.data, Referral) else "adt"
    return f"inbound.{envelope.data.source}.{kind}"


def _envelope(data: InboundMessage) -> InboundEnvelope:
    return InboundEnvelope(
        specversion="1.0",
        id=uuid5(UUID(int=7), msgspec.json.encode(data).decode()),
        source="/throughcare/gateway",
        type=f"throughcare.inbound.{type(data).__name__}",
        time=NOW.isoformat(),
        datacontenttype="application/json",
        data=data,
    )


def _person(*identifiers: Identifier) -> Person:
    return Person(identifiers=identifiers, demographics=Demographics(family="Example", given=("Ada",)))


def _original(control_id: str, trigger: str) -> Original:
    return Original(format="hl7v2", text="MSH|…", control_id=control_id, trigger=trigger)


def _visit(number: str) -> Visit:
    return Visit(
        facility="General Hospital",
        visit_number=number,
        encounter_class="IMP",
        discharged="2026-03-02T11:00:00-05:00",
        diagnoses=(DEPRESSION,),
    )
