"""A hospital's interface engine: what was not acknowledged, it sends again; and what it has to tell."""

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import uuid4

from services.console.demo import hl7
from services.gateway.mllp.client import send
from shared.events.base import Identifier
from tests.e2e.account import Ledger

_ACCEPTED: Final = "AA"
_RECONNECT_SECONDS: Final = 0.05
_ADMITTED: Final = timedelta(days=9)

NOW: Final = datetime.now(UTC).replace(microsecond=0)
_numbers = itertools.count(1)
_sendings = itertools.count(1)
_run = uuid4().hex[:6]


class Hospital:
    """Sends to one gateway; what was accepted goes into the ledger."""

    def __init__(self, host: str, port: int, ledger: Ledger) -> None:
        self.accepted = 0
        self.unanswered = 0  # sendings that were refused, or not answered
        self._host = host
        self._port = port
        self._ledger = ledger

    async def send(self, messages: Sequence[bytes], *, window: int = 8) -> None:
        """Send messages in order, and those not accepted again, until each is; `window` on their way."""
        waiting = list(messages)
        while waiting:
            waiting = await self._try(waiting, window)

    async def _try(self, messages: list[bytes], window: int) -> list[bytes]:
        """Send once; returns what has to be sent again."""
        tried = iter(messages)
        again: list[bytes] = []
        try:
            async for answer in send(self._host, self._port, messages, window=window):
                message = next(tried)
                if answer.code == _ACCEPTED:
                    self.accepted += 1
                    self._ledger.message_accepted(message)
                else:
                    self.unanswered += 1
                    again.append(message)
        except OSError:  # nobody listens at the moment
            self.unanswered += 1
            await asyncio.sleep(_RECONNECT_SECONDS)
        return [*again, *tried]


class Patient:
    """A made-up person with one referral and one stay, and the messages about them."""

    def __init__(self) -> None:
        number = next(_numbers)
        self.number = f"{_run}{number}"
        self.placer = f"R-{self.number}"
        self._messages = itertools.count(1)
        self._person = hl7.Patient(
            number=self.number,
            given="Sample",
            family=f"Fault{number}",
            birth_date=date(1950, 1, 1) + timedelta(days=37 * number),
            sex="F",
        )

    @property
    def identifier(self) -> Identifier:
        """The hospital's number of the person."""
        return Identifier(hl7.FACILITY, self.number)

    def stay(self, number: int = 1) -> hl7.Stay:
        """Their n-th visit, just over; its discharge was sent before anything that is sent now."""
        discharged = NOW - timedelta(hours=2)
        return hl7.Stay(
            visit_number=f"V-{self.number}-{number}", admitted=discharged - _ADMITTED, discharged=discharged
        )

    def referral(self) -> bytes:
        """REF^I12; each call makes another message about the same referral."""
        return hl7.referral(
            self._person, control_id=self._control_id(), placer=self.placer, sent=NOW - timedelta(days=1)
        )

    def admission(self, number: int = 1) -> bytes:
        """ADT^A01."""
        return hl7.admission(self._person, self.stay(number), control_id=self._control_id())

    def discharge(self, number: int = 1) -> bytes:
        """ADT^A03."""
        return hl7.discharge(self._person, self.stay(number), control_id=self._control_id())

    def discharge_cancelled(self, number: int = 1) -> bytes:
        """ADT^A13, sent an hour after the discharge."""
        return hl7.cancelled_discharge(
            self._person,
            self.stay(number),
            control_id=self._control_id(),
            sent=NOW - timedelta(hours=1),
        )

    def told(
        self,
        trigger: str,
        visit: int,
        *,
        day: int,
        left: int | None = None,
        of: "Patient | None" = None,
        disposition: str = "",
    ) -> bytes:
        """ADT of a visit that began `day` days ago and ended `left` days ago, perhaps of another's number.

        Each is sent a second after the one that was made before.
        """
        sent = _time(NOW - timedelta(hours=12) + timedelta(seconds=next(_sendings)))
        pv1 = [""] * 46
        pv1[:3], pv1[19] = ["PV1", "1", "I"], f"V-{(of or self).number}-{visit}"
        pv1[36] = disposition
        pv1[44], pv1[45] = _ago(day), "" if left is None else _ago(left)
        return "\r".join(
            [
                rf"MSH|^~\&|{hl7.APPLICATION}|{hl7.FACILITY}|||{sent}||ADT^{trigger}|{self._control_id()}|T|2.5.1",
                f"PID|1||{self.number}^^^{hl7.FACILITY}^MR||{self._person.family}^{self._person.given}",
                "|".join(pv1),
                "DG1|1||F33.1^Major depressive disorder^I10C|||A",
            ]
        ).encode()

    def readmission(self) -> bytes:
        """ADT^A01 of a next visit, the day after the first one's discharge."""
        again = hl7.Stay(visit_number=f"V-{self.number}-again", admitted=NOW + timedelta(days=1))
        return hl7.admission(self._person, again, control_id=self._control_id())

    def died(self) -> bytes:
        """ADT^A08 that says so, of now (PID-29, PID-30)."""
        pid = [""] * 31
        pid[:4], pid[29], pid[30] = ["PID", "1", "", f"{self.number}^^^{hl7.FACILITY}^MR"], _time(NOW), "Y"
        msh = (
            rf"MSH|^~\&|{hl7.APPLICATION}|{hl7.FACILITY}|||{_time(NOW)}||ADT^A08|{self._control_id()}|T|2.5.1"
        )
        return "\r".join([msh, "|".join(pid)]).encode()

    def merged_into(self, other: "Patient") -> bytes:
        """ADT^A40: two numbers of one person, of which the other stays."""
        sent = _time(NOW)
        return "\r".join(
            [
                rf"MSH|^~\&|{hl7.APPLICATION}|{hl7.FACILITY}|||{sent}||ADT^A40|{self._control_id()}|T|2.5.1",
                f"EVN|A40|{sent}",
                f"PID|1||{other.number}^^^{hl7.FACILITY}^MR",
                f"MRG|{self.number}^^^{hl7.FACILITY}^MR",
            ]
        ).encode()

    def _control_id(self) -> str:
        return f"{self.number}-{next(self._messages)}"


def _ago(days: int) -> str:
    return _time(NOW - timedelta(days=days))


def _time(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%S+0000")


def steady_flow(patients: Iterable[Patient], *, behind: int = 20) -> list[bytes]:
    """Return each patient's referral and discharge, the discharge so many messages behind the referral."""
    people = list(patients)
    timed = [(2 * place, person.referral()) for place, person in enumerate(people)]
    timed += [(2 * place + behind, person.discharge()) for place, person in enumerate(people)]
    return [message for _, message in sorted(timed, key=lambda each: each[0])]


def patients(count: int) -> list[Patient]:
    """Return so many new people."""
    return [Patient() for _ in range(count)]
