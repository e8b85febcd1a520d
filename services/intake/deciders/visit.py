"""What was told of a participant's visits and taken back again: which cancellation is about which original.

Both are matched by who sent them and the visit number (PV1-19), and by when they were sent (MSH-7) where both
say it: messages arrive late and out of order, and a hospital may discharge, take it back and discharge again
within one visit.
"""

from collections.abc import Iterator
from typing import Generic, TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from shared.events.base import MessageReference
from shared.events.encounter import DischargeNotified, InpatientAdmissionNotified
from shared.events.moment import before

Visit = tuple[str, str | None]  # who sent it, and how they number the visit

Original = TypeVar("Original", InpatientAdmissionNotified, DischargeNotified)


class Reversal(Struct, frozen=True, kw_only=True):
    """A cancellation of a visit's admission or discharge; one that has not met its original waits for it."""

    visit: Visit
    message: MessageReference | None
    is_met: bool = False


class Ledger(Struct, Generic[Original], frozen=True, kw_only=True):
    """The admissions, or the discharges, of a participant."""

    open: dict[UUID, Original] = {}
    ids: frozenset[UUID] = frozenset()  # also of those cancelled
    reversals: tuple[Reversal, ...] = ()

    def noted(self, id: UUID, original: Original) -> "Ledger[Original]":
        """Add an original, or what was told of it anew."""
        return replace(self, open={**self.open, id: original}, ids=self.ids | {id})

    def waits(self, reversal: Reversal) -> "Ledger[Original]":
        """Add a cancellation whose original we have not seen."""
        return replace(self, reversals=(*self.reversals, reversal))

    def cancelled(self, id: UUID, reversal: Reversal) -> "Ledger[Original]":
        """Let a cancellation meet its original; it waits no longer if it did."""
        others = tuple(
            other
            for other in self.reversals
            if (other.visit, other.message) != (reversal.visit, reversal.message)
        )
        still_open = {other: original for other, original in self.open.items() if other != id}
        return replace(self, open=still_open, reversals=(*others, replace(reversal, is_met=True)))

    def open_of(self, visit: Visit) -> Iterator[Original]:
        """Yield what stands of this visit."""
        return (original for original in self.open.values() if visit_of(original) == visit)

    def original_of(self, visit: Visit, message: MessageReference | None) -> Original | None:
        """Return what a cancellation is about: what stands of its visit, unless that was sent later."""
        if visit[1] is None:
            return None
        originals = self.open_of(visit)
        return next((one for one in originals if not sent_before(message, one.message)), None)

    def reversal_of(self, original: Original) -> Reversal | None:
        """Return the cancellation that an original meets on arrival: one that waits, or one sent after it."""
        of = visit_of(original)
        if of[1] is None:
            return None
        reversals = (reversal for reversal in self.reversals if reversal.visit == of)
        return next((one for one in reversals if _is_about(one, original.message)), None)

    def is_reversed(self, visit: Visit, message: MessageReference | None) -> bool:
        """Tell whether a cancellation of this visit is there already; unnumbered, the very same message.

        One that was sent after another had met its original is about an original that we have not seen.
        """
        return any(
            reversal.message == message if visit[1] is None else not _is_older(reversal, message)
            for reversal in self.reversals
            if reversal.visit == visit
        )


def visit_of(notice: InpatientAdmissionNotified | DischargeNotified) -> Visit:
    """Return which visit a notice is about."""
    return visit(notice.message, notice.facility, notice.visit_number)


def visit(message: MessageReference | None, facility: str, visit_number: str | None) -> Visit:
    """Return a visit as its sender numbers it; the facility stands in where no message says who sent it."""
    return (facility if message is None else message.source, visit_number)


def sent_before(message: MessageReference | None, other: MessageReference | None) -> bool:
    """Tell whether it was surely sent before the other."""
    if message is None or other is None or message.sent_at is None or other.sent_at is None:
        return False
    return before(message.sent_at, other.sent_at)


def _is_older(reversal: Reversal, message: MessageReference | None) -> bool:
    return reversal.is_met and sent_before(reversal.message, message)


def _is_about(reversal: Reversal, original: MessageReference | None) -> bool:
    if reversal.is_met:
        return sent_before(original, reversal.message)
    return not sent_before(reversal.message, original)
