"""What each HL7 v2 message that is taken means, in canonical form."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from services.gateway.hl7v2 import appointment, merge, referral, result
from services.gateway.hl7v2.error import missing
from services.gateway.hl7v2.person import person
from services.gateway.hl7v2.reading import Reading
from services.gateway.hl7v2.visit import location, visit
from shared.events.base import Demographics
from shared.events.encounter import AppointmentStatus, EncounterClass
from shared.events.inbound import (
    Admission,
    AdmissionCancellation,
    Amendment,
    AppointmentNotice,
    AssessmentReport,
    Cancellation,
    DemographicsUpdate,
    Discharge,
    DischargeCancellation,
    InboundMessage,
    Merge,
    Original,
    Person,
    Referral,
    ResultReport,
    Transfer,
)

Meaning = Callable[[Reading, str], Sequence[InboundMessage]]
"""Takes what is read of a message about one patient, and its sender's token; raises Hl7Error."""


def _original(reading: Reading) -> Original:
    """Made last, so that it has every warning."""
    message = reading.message
    return Original(
        format="hl7v2",
        text=message.decoded,
        control_id=message.control_id,
        trigger="^".join(message.kind),
        sent_at=reading.sent,
        warnings=tuple(dict.fromkeys(message.warnings)),
    )


def _single(read: Callable[[Reading, str], InboundMessage]) -> Meaning:
    return lambda reading, source: (read(reading, source),)


def _referral(reading: Reading, source: str) -> Referral:
    """Received without an identifier, too: whom it is about is then found out by people."""
    rf1 = reading.message.segment("RF1")
    return Referral(
        source=source,
        person=person(reading, identified=False),
        occurred=reading.occurred,
        placer=referral.placer(reading),
        priority=referral.priority(reading),
        referrer=referral.referrer(reading),
        service_requested=referral.service_requested(reading),
        reasons=referral.reasons(reading),
        documents=referral.documents(reading),
        insurance=referral.insurance(reading),
        requested_on=reading.moment(rf1, 9) or reading.moment(rf1, 7),  # originated, else effective
        original=_original(reading),
    )


def _amendment(reading: Reading, source: str) -> Amendment:
    """What REF^I13 leaves out stays as it was."""
    referrer, reasons, insurance = (
        referral.referrer(reading),
        referral.reasons(reading),
        referral.insurance(reading),
    )
    return Amendment(
        source=source,
        person=person(reading, identified=False),
        occurred=reading.occurred,
        placer=referral.placer_of_known(reading),
        priority=referral.priority(reading) if referral.is_told(reading, "RF1", 2) else None,
        referrer=referrer if referrer.name or referrer.organisation else None,
        service_requested=referral.service_requested(reading),
        reasons=reasons or None,
        insurance=insurance or None,
        original=_original(reading),
    )


def _referral_cancellation(reading: Reading, source: str) -> Cancellation:
    return Cancellation(
        source=source,
        person=person(reading, identified=False),
        occurred=reading.occurred,
        placer=referral.placer_of_known(reading),
        reason=referral.cancellation_reason(reading),
        original=_original(reading),
    )


def _admission(implied: EncounterClass = "UNK") -> Meaning:
    def read(reading: Reading, source: str) -> Admission:
        stay = visit(reading, implied=implied)
        return Admission(
            source=source,
            person=person(reading),
            visit=stay,
            occurred=stay.admitted or reading.occurred,
            original=_original(reading),
        )

    return _single(read)


def _transfer(implied: EncounterClass = "UNK") -> Meaning:
    def read(reading: Reading, source: str) -> Transfer:
        return Transfer(
            source=source,
            person=person(reading),
            visit=visit(reading, implied=implied),
            location=location(reading.message.segment("PV1"), 3),
            occurred=reading.occurred,
            original=_original(reading),
        )

    return _single(read)


def _discharge(reading: Reading, source: str) -> Discharge:
    stay = visit(reading)
    return Discharge(
        source=source,
        person=person(reading),
        visit=stay,
        occurred=stay.discharged or reading.occurred,
        original=_original(reading),
    )


def _cancellation(kind: type[AdmissionCancellation] | type[DischargeCancellation]) -> Meaning:
    """A11, A13 and A38 are matched by visit number: without one they could never be applied.

    So one without PV1-19 is an error of the message (AE), told to the sender, rather than taken and parked;
    a sender that has the number elsewhere is given a profile which says where.
    """

    def read(reading: Reading, source: str) -> InboundMessage:
        whom, stay = person(reading), visit(reading)
        if stay.visit_number is None:
            raise missing("PV1", 19, "PV1-19 is required: a cancellation is matched by its visit number.")
        return kind(
            source=source,
            person=whom,
            visit=stay,
            occurred=reading.occurred,
            original=_original(reading),
        )

    return _single(read)


def _demographics_update(reading: Reading, source: str) -> DemographicsUpdate:
    return DemographicsUpdate(
        source=source, person=person(reading), occurred=reading.occurred, original=_original(reading)
    )


def _merges(reading: Reading, source: str) -> Sequence[Merge]:
    survivor, priors = person(reading), merge.priors(reading)
    occurred, original = reading.occurred, _original(reading)
    return tuple(
        Merge(source=source, person=survivor, prior=prior, occurred=occurred, original=original)
        for prior in priors
    )


def _appointment(status: AppointmentStatus) -> Meaning:
    def read(reading: Reading, source: str) -> AppointmentNotice:
        start, end = appointment.times(reading)
        return AppointmentNotice(
            source=source,
            person=person(reading),
            appointment=appointment.appointment(reading),
            status=status,
            start=start,
            end=end,
            reason=appointment.reason(reading, status),
            location=appointment.place(reading),
            occurred=reading.occurred,
            original=_original(reading),
        )

    return _single(read)


def _with_answers(read: Callable[[Reading, str], InboundMessage]) -> Meaning:
    """A referral brings screening answers along, too: they count as those that a result tells.

    Without an identifier nobody can be found whose answers they are.
    """

    def both(reading: Reading, source: str) -> Sequence[InboundMessage]:
        found = result.answers(reading)
        if found and not person(reading, identified=False).identifiers:
            reading.warn("The screening answers were left out: their patient has no identifier.")
            found = ()
        return (read(reading, source), *_assessments(reading, source, found))

    return both


def _results(reading: Reading, source: str) -> Sequence[InboundMessage]:
    """Give an assessment for each instrument; a message with none is a report that nothing follows from."""
    return _assessments(reading, source, result.answers(reading)) or (_result_report(reading, source),)


def _assessments(
    reading: Reading, source: str, found: Sequence[result.Answers]
) -> Sequence[AssessmentReport]:
    if not found:
        return ()
    whom, original = person(reading), _original(reading)
    return tuple(
        AssessmentReport(
            source=source,
            person=whom,
            instrument=each.instrument,
            items=each.items,
            total=each.total,
            difficulty=each.difficulty,
            administered_at=each.administered or reading.occurred,
            occurred=each.administered or reading.occurred,
            original=original,
        )
        for each in found
    )


def _result_report(reading: Reading, source: str) -> ResultReport:
    """Nothing follows from it, so that even one without a patient, which the standard allows, is kept."""
    if reading.message.segment("PID"):
        whom = person(reading, identified=False)
    else:
        reading.warn("The results name no patient.")
        whom = Person(identifiers=(), demographics=Demographics())
    return ResultReport(
        source=source,
        person=whom,
        codes=result.codes(reading),
        occurred=reading.occurred,
        original=_original(reading),
    )


MEANINGS: Final[Mapping[tuple[str, str], Meaning]] = {
    ("REF", "I12"): _with_answers(_referral),
    ("REF", "I13"): _with_answers(_amendment),
    ("REF", "I14"): _single(_referral_cancellation),
    ("ADT", "A01"): _admission(),
    ("ADT", "A02"): _transfer(),
    ("ADT", "A03"): _single(_discharge),
    ("ADT", "A04"): _admission(),
    ("ADT", "A05"): _admission("PRENC"),
    ("ADT", "A06"): _transfer("IMP"),
    ("ADT", "A07"): _transfer("AMB"),
    ("ADT", "A08"): _single(_demographics_update),
    ("ADT", "A11"): _cancellation(AdmissionCancellation),
    ("ADT", "A13"): _cancellation(DischargeCancellation),
    ("ADT", "A18"): _merges,
    ("ADT", "A28"): _single(_demographics_update),
    ("ADT", "A31"): _single(_demographics_update),
    ("ADT", "A34"): _merges,
    ("ADT", "A38"): _cancellation(AdmissionCancellation),
    ("ADT", "A40"): _merges,
    ("SIU", "S12"): _appointment("booked"),
    ("SIU", "S13"): _appointment("rescheduled"),
    ("SIU", "S14"): _appointment("modified"),
    ("SIU", "S15"): _appointment("cancelled"),
    ("SIU", "S26"): _appointment("noshow"),
    ("ORU", "R01"): _results,
}
"""By message type and trigger event."""
