"""A process that registers identifiers for one participant as fast as it may.

    python -m tests.integration.eventlog.racer SETTINGS PARTICIPANT NAME COUNT

Prints a line of JSON for each acknowledged command: its id and the position that was answered. A command that
others were too fast for is asked again, as a coordinator would.
"""

import asyncio
import sys
from uuid import UUID, uuid5

import msgspec

from services.intake.deciders import participant as participants
from shared.commands import reply
from shared.commands.decision import Refused
from shared.commands.intake import RegisterParticipant
from shared.eventlog.execute import Outcome
from shared.settings import Settings
from tests.integration.eventlog.conftest import Office, open_office
from tests.integration.eventlog.stories import register


async def race(settings: Settings, participant: UUID, name: str, count: int) -> None:
    async with open_office(settings) as office:
        for number in range(count):
            command = register(participant, f"{name}-{number}", id=uuid5(participant, f"{name}-{number}"))
            outcome = await office.executor.execute(participants.DECIDER, command)
            while isinstance(outcome, Refused):
                outcome = await again(office, command, outcome)
            acknowledge(command.id, outcome)


async def again(office: Office, command: RegisterParticipant, refused: Refused) -> Outcome:
    assert refused.code == "conflict", refused
    return await office.executor.execute(participants.DECIDER, command)


def acknowledge(command: UUID, outcome: Outcome) -> None:
    assert isinstance(outcome, reply.Appended), outcome
    sys.stdout.write(msgspec.json.encode((command, outcome.position.sequence)).decode() + "\n")


if __name__ == "__main__":
    told, participant, name, count = sys.argv[1:]
    asyncio.run(race(msgspec.json.decode(told, type=Settings), UUID(participant), name, int(count)))
