"""Whom a message is about, when several messages about the same new person are handled at once."""

import asyncio
from typing import Any

from services.intake.identification import Identification
from shared.commands.base import Command
from shared.commands.decision import Decider
from shared.eventlog.execute import Executor, Outcome
from shared.events.inbound import InboundEnvelope
from tests.integration.eventlog.conftest import Office, open_office
from tests.integration.eventlog.stories import NOW, mrn, referral


class InStep(Executor):
    """Goes on from its first command when the other has carried out its first, too."""

    def __init__(self, office: Office, both: asyncio.Barrier) -> None:
        super().__init__(office.log, office.entities, office.settings)
        self._both = both
        self._first = True
        self._met = asyncio.Event()

    async def execute(
        self, decider: Decider[Any, Any], command: Command, *, expect_new: bool = False
    ) -> Outcome:
        first, self._first = self._first, False
        if not first:
            await self._met.wait()
        outcome = await super().execute(decider, command, expect_new=expect_new)
        if first:
            await self._both.wait()
            self._met.set()
        return outcome


async def test_two_referrals_of_somebody_new_with_the_same_identifiers_are_one_participants(office: Office):
    """Two processes have one each, and claim the identifiers turn by turn."""
    identifiers = [mrn(letter) for letter in "ABC"]
    messages = referral("1", *identifiers), referral("2", *reversed(identifiers))
    both = asyncio.Barrier(2)
    async with open_office(office.settings) as other:
        processes = [Identification(InStep(each, both), office.settings) for each in (office, other)]
        owners = await asyncio.gather(
            *(each.identify(message, NOW) for each, message in zip(processes, messages, strict=True))
        )
    assert owners[0].participant == owners[1].participant
    assert sorted(owner.is_new for owner in owners) == [False, True]
    for identifier in identifiers:
        assert (
            await Identification(office.executor, office.settings).owner([identifier])
            == owners[0].participant
        )


async def test_who_is_known_by_one_identifier_gets_the_others_of_the_message(office: Office):
    identification = Identification(office.executor, office.settings)

    async def owner_of(envelope: InboundEnvelope) -> object:
        return (await identification.identify(envelope, NOW)).participant

    ada = await owner_of(referral("1", mrn("A")))
    assert await owner_of(referral("2", mrn("B"), mrn("A"))) == ada
    assert await owner_of(referral("3", mrn("B"), mrn("C"))) == ada
    assert await identification.owner([mrn("C")]) == ada
