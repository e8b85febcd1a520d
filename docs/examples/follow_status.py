"""Print what became of our referrals; a file keeps the cursor, and without it everything comes again."""

import asyncio
import json
import os
from pathlib import Path

import nats

SOURCE = os.environ["NATS_USER"]  # the sender's token is its user, too
CURSOR = Path("status.cursor")


async def main() -> None:
    client = await nats.connect(os.environ["NATS_URL"], user=SOURCE, password=os.environ["NATS_PASSWORD"])
    while True:
        cursor = int(CURSOR.read_text()) if CURSOR.exists() else 0
        asked = json.dumps({"after": cursor}).encode()
        page = json.loads((await client.request(f"status.{SOURCE}.next", asked, timeout=10)).data)
        if "error" in page:
            raise SystemExit(page["error"])
        for entry in page["entries"]:
            status = entry["event"]["data"]
            print(status["placer"]["value"], status["status"], status["at"], flush=True)
            CURSOR.write_text(str(entry["sequence"]))
        await asyncio.sleep(0 if page["entries"] else 1)


asyncio.run(main())
