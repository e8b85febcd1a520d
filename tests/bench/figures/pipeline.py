"""A saturated pipeline: referrals over MLLP as fast as they are taken, until all are visible."""

import time
from collections.abc import Sequence

import uvloop

from shared.settings import Settings
from tests.bench.bare.captured import read
from tests.bench.connections import nats_of, postgres_of
from tests.bench.context import Context
from tests.bench.doors import Door
from tests.bench.figure import Figure, Measurement, MeasurementError, Target, figure
from tests.bench.pipeline import Pipeline, Watch
from tests.bench.referrals import referrals
from tests.bench.rounds import interleaved, rounds_of

_TARGET = Target(">=", 0.5)


def run(context: Context) -> Sequence[Figure]:
    """Give referrals a second, from the first sent to the last one visible."""
    town = context.town()
    count = context.choose(quick=600, full=3_000)
    rounds = context.choose(quick=3, full=5)
    events = read(town.captured).message_events

    def saturate(pipeline: Pipeline) -> float:
        return uvloop.run(_saturate(town.settings, pipeline, count, events))

    for pipeline in (town.bare, town.ours):  # the first messages meet cold caches
        uvloop.run(_saturate(town.settings, pipeline, count // 3, events))
    rates = rounds_of(interleaved(rounds, ours=lambda: saturate(town.ours), bare=lambda: saturate(town.bare)))
    return [figure("referral to timeline, saturated", rates.value, "referrals/s", rates.ceiling, _TARGET)]


async def _saturate(settings: Settings, pipeline: Pipeline, count: int, events: int) -> float:
    messages = referrals(count)
    async with nats_of(settings) as client, postgres_of(settings) as connection:
        await pipeline.settled(client)
        last = await pipeline.last_seq(client) + events * count
        watch = await Watch.on(client, pipeline.notices)
        async with Door.open(pipeline.port) as door:
            begun = time.perf_counter()
            await door.send(messages)
            seconds = await watch.until(last) - begun
        receipts = await pipeline.receipts(connection, [message.control_id for message in messages])
    if len(receipts) != count:
        raise MeasurementError(f"Of {count} referrals {len(receipts)} are in the timeline.")
    return count / seconds


MEASUREMENT = Measurement("pipeline", run)
