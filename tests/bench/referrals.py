"""Made-up referrals: REF^I12 messages of new people, each framed for MLLP."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
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
    for nth in range(count):
        id_ = str(uuid4())
        control_id, number = f"{id_[:-1]}0", id_[:18]
        born = date(1950, 1, 1) + timedelta(days=37 * nth % 20_000)  # alike in all, they would be looked into
        patient = Patient(number=number, given=id_[9:18], family=id_[:8], birth_date=born, sex="F")
        message = referral(patient, control_id=control_id, placer=f"R{number}", sent=sent)
        yield Sent(control_id, framed(message))
