"""A discharge that a hospital told us of, told again, or took back (ADT A03, A13; A11 with its admission).

One told again under another id while it stands is the same discharge: its news is recorded under its first
id, so that what was derived from it is found when it is cancelled. After a cancellation it is another one;
and so it is at another time, for what is counted from a discharge must be counted anew.
"""

from msgspec.structs import replace

from services.intake.deciders.retold import is_same_time, latest, latest_class, latest_time
from services.intake.deciders.visit import Ledger, Reversal, sent_before, visit, visit_of
from shared.commands.decision import Decision
from shared.commands.intake import CancelDischarge, NotifyDischarge
from shared.events.base import MessageReference
from shared.events.encounter import (
    AdmissionCancelled,
    DischargeCancelled,
    DischargeNotified,
    ReversalUnmatched,
)

Discharges = Ledger[DischargeNotified]


def notified(command: NotifyDischarge, discharges: Discharges) -> Decision:
    """Record what is news; one that was cancelled before it arrived is met by its cancellation at once."""
    if command.discharge in discharges.ids:
        return []
    told = _told(command)
    reversal = discharges.reversal_of(told)
    if reversal is not None:
        return [told, _cancelled_by(reversal, told)]
    held = next((other for other in discharges.open_of(visit_of(told)) if _is_same(other, told)), None)
    return [told] if held is None else _news(held, told)


def cancelled(command: CancelDischarge, discharges: Discharges) -> Decision:
    """Cancel the visit's discharge; where we have not seen it, a person looks."""
    of = visit(command.message, command.facility, command.visit_number)
    original = discharges.original_of(of, command.message)
    if original is not None:
        return [
            DischargeCancelled(
                discharge=original.discharge,
                facility=command.facility,
                visit_number=command.visit_number,
                message=command.message,
            )
        ]
    if discharges.is_reversed(of, command.message):
        return []
    return [
        ReversalUnmatched(
            of="discharge",
            facility=command.facility,
            visit_number=command.visit_number,
            message=command.message,
        )
    ]


def of_no_stay(cancelled: AdmissionCancelled, discharges: Discharges) -> list[DischargeCancelled]:
    """Take back the discharge of a visit whose admission is cancelled, unless it was sent later than that."""
    of = visit(cancelled.message, cancelled.facility, cancelled.visit_number)
    original = discharges.original_of(of, cancelled.message)
    return [] if original is None else [_taken_back(original, cancelled.message)]


def _told(command: NotifyDischarge) -> DischargeNotified:
    return DischargeNotified(
        discharge=command.discharge,
        facility=command.facility,
        discharged=command.discharged,
        visit_number=command.visit_number,
        admitted=command.admitted,
        disposition=command.disposition,
        encounter_class=command.encounter_class,
        diagnoses=command.diagnoses,
        message=command.message,
    )


def _cancelled_by(reversal: Reversal, told: DischargeNotified) -> DischargeCancelled:
    return DischargeCancelled(
        discharge=told.discharge,
        facility=told.facility,
        visit_number=told.visit_number,
        message=reversal.message,
    )


def _is_same(held: DischargeNotified, told: DischargeNotified) -> bool:
    """A numbered visit has one discharge at a time; without a number, the same time is the same discharge."""
    return told.visit_number is not None or is_same_time(held.discharged, told.discharged)


def _news(held: DischargeNotified, told: DischargeNotified) -> Decision:
    is_old = sent_before(told.message, held.message)
    merged = _merged(told, held) if is_old else _merged(held, told)
    if not is_same_time(held.discharged, merged.discharged):
        return [
            _taken_back(held, told.message),
            replace(merged, discharge=told.discharge, message=told.message),
        ]
    retold = replace(merged, discharge=held.discharge, facility=held.facility, message=held.message)
    return [] if retold == held else [replace(retold, message=told.message)]


def _taken_back(held: DischargeNotified, by: MessageReference | None) -> DischargeCancelled:
    return DischargeCancelled(
        discharge=held.discharge,
        facility=held.facility,
        visit_number=held.visit_number,
        message=by,
    )


def _merged(older: DischargeNotified, newer: DischargeNotified) -> DischargeNotified:
    return replace(
        newer,
        discharged=latest_time(older.discharged, newer.discharged),
        admitted=latest(older.admitted, newer.admitted),
        disposition=latest(older.disposition, newer.disposition),
        encounter_class=latest_class(older.encounter_class, newer.encounter_class),
        diagnoses=newer.diagnoses or older.diagnoses,
    )
