"""Refer a made-up person by NATS, and print the ack: it comes when the message is on disk."""

import asyncio
import json
import os
from datetime import UTC, datetime
from uuid import uuid4

import nats

SOURCE = os.environ["NATS_USER"]  # the sender's token is its user, too
REFERRAL = {
    "person": {
        "identifiers": [{"assigner": "EXAMPLE", "value": "E-1001"}],
        "demographics": {"family": "Example", "given": ["Robin"], "birth_date": "1990-05-17"},
    },
    "placer": {"assigner": "EXAMPLE", "value": f"R-{uuid4().hex[:8]}", "type": "PLAC"},
    "reasons": [{"system": "icd-10-cm", "code": "F33.1"}],
}
EVENT = {
    "specversion": "1.0",
    "id": str(uuid4()),  # sent again with its id, a message is the same message
    "source": "https://hospital.example/orders",
    "type": "throughcare.inbound.Referral",
    "time": datetime.now(UTC).isoformat(),
    "data": REFERRAL,
}


async def main() -> None:
    client = await nats.connect(os.environ["NATS_URL"], user=SOURCE, password=os.environ["NATS_PASSWORD"])
    ack = await client.jetstream().publish(f"inbound.{SOURCE}.referral", json.dumps(EVENT).encode())
    print(f"Referral {REFERRAL['placer']['value']} is stored: {ack.stream}/{ack.seq}")
    await client.close()


asyncio.run(main())
