"""A projector as a process of its own, for a test to kill."""

import asyncio
import sys

from nats.aio.client import Client

from shared.projections.projector import Projector
from tests.integration.projections.read_models import projections


async def main(nats_url: str, database_url: str) -> None:
    client = Client()
    await client.connect(nats_url)
    await Projector(client, database_url, projections(), batch=17).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
