"""One process of the bare pipeline: `python -m tests.bench.bare ROLE [CAPTURED]`, until it is terminated.

It answers `bare.ready.<role>` with the port it listens on (0: none), once it does its work.
"""

import asyncio
import sys
from pathlib import Path

import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg

from services.timeline.read_models import projections
from shared import settings
from shared.settings import Settings
from shared.site import site_of
from tests.bench.bare import commands, front, journal, policies, projector
from tests.bench.bare.captured import Captured, read
from tests.bench.bare.log import listen
from tests.bench.connections import nats_of, postgres_of


async def _run(role: str, path: Path, told: Settings) -> None:
    async with nats_of(told) as client, postgres_of(told) as connection:
        if role == "journal":
            await journal.copy_journal(client, connection)
            return
        captured = read(path)
        port = await _serve(role, client, captured)

        async def ready(message: Msg) -> None:
            await message.respond(str(port).encode())

        await listen(client, f"bare.ready.{role}", ready)
        if role == "timeline":
            await projector.project(client, connection, captured, projections(site_of(told)))
        await asyncio.Event().wait()


async def _serve(role: str, client: Client, captured: Captured) -> int:
    match role:
        case "front":
            return await front.serve(client, captured)
        case "intake":
            await policies.serve_intake(client, captured)
        case "care_plan" | "aftercare":
            await policies.serve_onlooker(client, role)
        case "commands":
            await commands.serve(client, captured)
        case _:
            pass
    return 0


if __name__ == "__main__":
    uvloop.run(_run(sys.argv[1], Path(sys.argv[2]), settings.load()))
