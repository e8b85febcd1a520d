"""Refer a made-up person by NATS, and print the ack; a refusal is raised and names the field."""

import asyncio
import json
import os
from datetime import UTC, datetime
from uuid import uuid4

import nats

SOURCE = os.environ["NATS_USER"]  # the sender's token is its user, too
PERSON = {"identifiers": [{"assigner": "EXAMPLE", "value": "E-1001"}], "demographics": {"family": "Example"}}
PLACER = {"assigner": "EXAMPLE", "value": f"R-{uuid4().hex[:8]}", "type": "PLAC"}
EVENT = {"specversion": "1.0", "type": "throughcare.inbound.Referral", "source": "https://hospital.example"}
EVENT |= {"id": str(uuid4()), "time": datetime.now(UTC).isoformat()}  # sent again, it keeps its id


async def main() -> None:
    client = await nats.connect(os.environ["NATS_URL"], user=SOURCE, password=os.environ["NATS_PASSWORD"])
    told = json.dumps({**EVENT, "data": {"person": PERSON, "placer": PLACER}}).encode()
    ack = await client.jetstream().publish(f"inbound.{SOURCE}.referral", told)
    print(f"Referral {PLACER['value']} is stored: {ack.stream}/{ack.seq}")
    await client.close()


asyncio.run(main())
