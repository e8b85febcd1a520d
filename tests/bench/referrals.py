"""Made-up referrals: REF^I12 messages of new people, each framed for MLLP."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import uuid4

from services.console.demo.hl7 import Patient, referral
from services.gateway.mllp.framing import framed


class Sent(NamedTuple):
    """A message by its control id (a UUID that ends with 0, see bare.captured)."""

    control_id: str
    frame: bytes


def referrals(count: int) -> list[Sent]:
    """Make as many referrals, no two of them of one person."""
    return list(_referrals(count))


def _referrals(count: int) -> Iterator[Sent]:
    sent = datetime.now(UTC)
    for _ in range(count):
        id_ = str(uuid4())
        control_id, number = f"{id_[:-1]}0", id_[:18]
        patient = Patient(number=number, given="Ada", family="Sample", birth_date=date(1990, 1, 1), sex="F")
        message = referral(patient, control_id=control_id, placer=f"R{number}", sent=sent)
        yield Sent(control_id, framed(message))
