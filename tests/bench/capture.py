"""Sends one real referral and one command through our services, and keeps what they stored for them."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
from nats.aio.client import Client

from shared.commands.intake import AcceptReferral
from shared.eventlog.log import Log
from shared.projections.postgres import Connection
from shared.projections.table import schema_of
from tests.bench.bare.captured import Captured, Stored
from tests.bench.doors import Door
from tests.bench.pipeline import Pipeline, Watch
from tests.bench.referrals import referrals

COMMAND = "command.intake.AcceptReferral"


class ChangedError(Exception):
    """Ours stores something else for a referral than the bare pipeline is made to store."""


async def capture(client: Client, connection: Connection, ours: Pipeline) -> Captured:
    """Send a referral and accept it, and return everything that was stored; the log must be empty."""
    watch = await Watch.on(client, ours.notices)
    control_id, receipt = await _send_one(client, connection, ours, watch)
    log = Log(client)
    events = [await _get(log, "CARE_0", seq) for seq in range(1, receipt + 1)]
    claim, *between, last = events
    placed = [event for event in between if ".identity." in event.subject]
    registration = [event for event in between if ".participant." in event.subject]
    if len(placed) != 1 or len(placed) + len(registration) != len(between):
        raise ChangedError("The bare intake writes two claims, a registration and a receipt; ours does not.")
    request, answer = await _accept(client, last)
    return Captured(
        control_id=control_id,
        inbound=await _get(log, "INBOUND", 1),
        claim=claim,
        placed=placed[0],
        registration=tuple(registration),
        receipt=last,
        outbound=await _get(log, "OUTBOUND", 1),
        request=request,
        accepted=await _get(log, "CARE_0", receipt + 1),
        answer=answer,
        tables=schema_of(await connection.fetchval("select number from log.generation where active")),
    )


async def _send_one(client: Client, connection: Connection, ours: Pipeline, watch: Watch) -> tuple[str, int]:
    """Send a referral; returns its control id and the sequence of its receipt, once all is handled."""
    [sent] = referrals(1)
    async with Door.open(ours.port) as door:
        await door.send([sent])
    await ours.settled(client)
    await watch.until(await ours.last_seq(client))
    receipts = await ours.receipts(connection, [sent.control_id])
    return sent.control_id, receipts[sent.control_id]


async def _accept(client: Client, receipt: Stored) -> tuple[bytes, bytes]:
    told = msgspec.json.decode(receipt.payload, type=_Outline)
    request = acceptance(told.subject, UUID(receipt.subject.rpartition(".")[2]))
    answer = await client.request(COMMAND, request, timeout=10)
    if b'"appended"' not in answer.data:
        raise ChangedError("A referral that was received cannot be accepted.")
    return request, answer.data


def acceptance(participant: UUID, referral: UUID) -> bytes:
    """Return the request that accepts a referral."""
    return msgspec.json.encode(
        AcceptReferral(
            id=uuid4(),
            participant=participant,
            actor="coordinator:bench",
            now=datetime.now(UTC),
            referral=referral,
            owner="dana",
        )
    )


class _Outline(msgspec.Struct):
    subject: UUID


async def _get(log: Log, stream: str, seq: int) -> Stored:
    message = await log.get(stream, seq)
    if message is None:
        raise ChangedError(f"{stream} has no message {seq}.")
    return Stored(message.subject, message.payload)
