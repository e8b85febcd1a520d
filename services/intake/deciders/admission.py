"""An admission that a hospital told us of, told again, or took back (ADT A01, A11).

As with a discharge, one told again while it stands is the same admission, under its first id.
"""

from msgspec.structs import replace

from services.intake.deciders.retold import is_same_time, latest_class, latest_time
from services.intake.deciders.visit import Ledger, Reversal, sent_before, visit, visit_of
from shared.commands.decision import Decision
from shared.commands.intake import CancelAdmission, NotifyAdmission
from shared.events.encounter import AdmissionCancelled, InpatientAdmissionNotified, ReversalUnmatched

Admissions = Ledger[InpatientAdmissionNotified]


def notified(command: NotifyAdmission, admissions: Admissions) -> Decision:
    """Record what is news; one that was cancelled before it arrived is met by its cancellation at once."""
    if command.admission in admissions.ids:
        return []
    told = _told(command)
    reversal = admissions.reversal_of(told)
    if reversal is not None:
        return [told, _cancelled_by(reversal, told)]
    held = next((other for other in admissions.open_of(visit_of(told)) if _is_same(other, told)), None)
    return [told] if held is None else _news(held, told)


def cancelled(command: CancelAdmission, admissions: Admissions) -> Decision:
    """Cancel the visit's admission; where we have not seen it, a person looks."""
    of = visit(command.message, command.facility, command.visit_number)
    original = admissions.original_of(of, command.message)
    if original is not None:
        return [
            AdmissionCancelled(
                admission=original.admission,
                facility=command.facility,
                visit_number=command.visit_number,
                message=command.message,
            )
        ]
    if admissions.is_reversed(of, command.message):
        return []
    return [
        ReversalUnmatched(
            of="admission",
            facility=command.facility,
            visit_number=command.visit_number,
            message=command.message,
        )
    ]


def _told(command: NotifyAdmission) -> InpatientAdmissionNotified:
    return InpatientAdmissionNotified(
        admission=command.admission,
        facility=command.facility,
        visit_number=command.visit_number,
        admitted=command.admitted,
        encounter_class=command.encounter_class,
        diagnoses=command.diagnoses,
        message=command.message,
    )


def _cancelled_by(reversal: Reversal, told: InpatientAdmissionNotified) -> AdmissionCancelled:
    return AdmissionCancelled(
        admission=told.admission,
        facility=told.facility,
        visit_number=told.visit_number,
        message=reversal.message,
    )


def _is_same(held: InpatientAdmissionNotified, told: InpatientAdmissionNotified) -> bool:
    """A numbered visit has one admission at a time; without a number, the same time is the same admission."""
    return told.visit_number is not None or is_same_time(held.admitted, told.admitted)


def _news(held: InpatientAdmissionNotified, told: InpatientAdmissionNotified) -> Decision:
    is_old = sent_before(told.message, held.message)
    merged = _merged(told, held) if is_old else _merged(held, told)
    retold = replace(merged, admission=held.admission, facility=held.facility, message=held.message)
    return [] if retold == held else [replace(retold, message=told.message)]


def _merged(
    older: InpatientAdmissionNotified, newer: InpatientAdmissionNotified
) -> InpatientAdmissionNotified:
    return replace(
        newer,
        admitted=latest_time(older.admitted, newer.admitted),
        encounter_class=latest_class(older.encounter_class, newer.encounter_class),
        diagnoses=newer.diagnoses or older.diagnoses,
    )
