"""How long it takes at an even 300 messages a second, from sending a referral to seeing it."""

from collections.abc import Sequence
from statistics import median, quantiles

import uvloop

from shared.settings import Settings
from tests.bench.bare.captured import read
from tests.bench.connections import nats_of, postgres_of
from tests.bench.context import Context
from tests.bench.doors import Door
from tests.bench.figure import Figure, Measurement, Target, figure
from tests.bench.pipeline import Pipeline, Watch
from tests.bench.referrals import referrals
from tests.bench.rounds import interleaved, rounds_of

_RATE = 300.0
_A_QUEUE = 250.0  # ms: no round trip takes that long
_TARGET = Target("<=", 3.0)


def run(context: Context) -> Sequence[Figure]:
    """Give the median and the 99th percentile of the latency, in milliseconds."""
    town = context.town()
    count = int(_RATE * context.choose(quick=3, full=10))
    rounds = context.choose(quick=3, full=5)
    events = read(town.captured).message_events

    def latencies(pipeline: Pipeline) -> list[float]:
        return uvloop.run(_latencies(town.settings, pipeline, count, events))

    pairs = interleaved(rounds, ours=lambda: latencies(town.ours), bare=lambda: latencies(town.bare))
    if median(median(bare) for _, bare in pairs) > _A_QUEUE:
        context.say(f"the bare pipeline does not keep up with {_RATE:g}/s here: both latencies are a queue's")
    p50 = rounds_of([(median(ours), median(bare)) for ours, bare in pairs])
    p99 = rounds_of([(_p99(ours), _p99(bare)) for ours, bare in pairs])
    return [
        figure(f"visible at {_RATE:g}/s, p50", p50.value, "ms", p50.ceiling, _TARGET),
        figure(f"visible at {_RATE:g}/s, p99", p99.value, "ms", p99.ceiling, _TARGET),
    ]


async def _latencies(settings: Settings, pipeline: Pipeline, count: int, events: int) -> list[float]:
    messages = referrals(count)
    async with nats_of(settings) as client, postgres_of(settings) as connection:
        await pipeline.settled(client)
        last = await pipeline.last_seq(client) + events * count
        watch = await Watch.on(client, pipeline.notices)
        async with Door.open(pipeline.port) as door:
            due = await door.send_at(messages, _RATE)
        await watch.until(last)
        seqs = await pipeline.receipts(connection, [message.control_id for message in messages])
    return [
        (watch.visible_at(seqs[message.control_id]) - at) * 1_000
        for message, at in zip(messages, due, strict=True)
    ]


def _p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100)[98]


MEASUREMENT = Measurement("latency", run)
