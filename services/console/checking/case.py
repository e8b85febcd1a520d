"""The made-up person that one check is about, and the numbers under which its sender knows everything."""

import secrets
from datetime import UTC, date, datetime, timedelta
from typing import Final

from msgspec import Struct

BORN: Final = date(1984, 2, 29)
GIVEN: Final = "Connie"
DIAGNOSIS: Final = ("F33.1", "Major depressive disorder, recurrent, moderate")
PROGRAM: Final = ("IOP", "Intensive outpatient program")
ANSWERS: Final = (1, 1, 1, 1, 1, 1, 1, 1, 0)
"""To the questions of PHQ-9: mild, and no risk that somebody would have to look at."""

_STAY: Final = timedelta(days=6)
_UNTIL_APPOINTMENT: Final = timedelta(days=7)
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
_RUN_LENGTH: Final = 8


class Case(Struct, frozen=True, kw_only=True):
    """One run: nothing of it is shared with another, so that it can be tried as often as one likes."""

    application: str  # MSH-3
    facility: str  # MSH-4
    assigner: str  # of every number
    processing: str  # MSH-11
    run: str
    now: datetime

    @property
    def number(self) -> str:
        """The hospital's number of the person."""
        return f"CHECK-{self.run}"

    @property
    def family(self) -> str:
        """A name that no other run has, so that nobody is asked whether they are the same person."""
        return f"Check-{self.run.capitalize()}"

    @property
    def placer(self) -> str:
        """The hospital's number of the referral."""
        return f"R-{self.run}"

    @property
    def visit(self) -> str:
        """The number of the stay, by which its cancellations are matched."""
        return f"V-{self.run}"

    @property
    def appointment(self) -> str:
        """The number of the appointment."""
        return f"A-{self.run}"

    @property
    def admitted(self) -> datetime:
        """When the stay began."""
        return self.now - _STAY

    @property
    def booked(self) -> datetime:
        """When the appointment is."""
        return self.now + _UNTIL_APPOINTMENT


def new_case(*, application: str, facility: str, assigner: str | None, processing: str) -> Case:
    """Make up somebody who is in no record yet; without an assigner the facility's numbers are its own."""
    return Case(
        application=application,
        facility=facility,
        assigner=assigner or facility,
        processing=processing,
        run="".join(secrets.choice(_LETTERS) for _ in range(_RUN_LENGTH)),
        now=datetime.now(UTC).replace(microsecond=0),
    )
