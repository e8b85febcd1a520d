"""Messages a second over MLLP, each stored durably before its ack, to python-hl7's storing nothing."""

import asyncio
import time
from collections.abc import Sequence

import uvloop

from tests.bench.alone import gateway_process, peer_process
from tests.bench.context import Context
from tests.bench.figure import Figure, Measurement, Target, figure
from tests.bench.peer import Peer
from tests.bench.referrals import referrals
from tests.bench.rounds import interleaved, rounds_of

_TARGET = Target(">=", 0.6)
_ANSWER_SECONDS = 120.0

# How many connections, and how many messages are on their way on each.
_SHAPES = ((1, 128), (50, 8))


def run(context: Context) -> Sequence[Figure]:
    """Give messages a second on one pipelined connection and over fifty."""
    count = context.choose(quick=1_500, full=6_000)
    rounds = context.choose(quick=3, full=5)
    with (
        context.servers("mllp") as settings,
        gateway_process(settings, context.folder / "mllp", "mllp") as ours,
        peer_process("tests.bench.python_hl7") as bare,
    ):
        return [_figure(ours, bare, shape, count, rounds) for shape in _SHAPES]


def _figure(ours: int, bare: int, shape: tuple[int, int], count: int, rounds: int) -> Figure:
    def rate(port: int) -> float:
        return uvloop.run(_rate(port, shape, count))

    for port in (bare, ours):  # the first messages meet cold caches
        rate(port)
    rates = rounds_of(interleaved(rounds, ours=lambda: rate(ours), bare=lambda: rate(bare)))
    connections, window = shape
    name = f"MLLP, {connections} connection{'s' if connections > 1 else ''}, {window} in flight on each"
    return figure(name, rates.value, "messages/s", rates.ceiling, _TARGET)


async def _rate(port: int, shape: tuple[int, int], count: int) -> float:
    connections, window = shape
    frames = [message.frame for message in referrals(count)]
    peers = [await Peer.open(port) for _ in range(connections)]
    begun = time.perf_counter()
    async with asyncio.timeout(_ANSWER_SECONDS):
        await asyncio.gather(*(peer.send(frames[at::connections], window) for at, peer in enumerate(peers)))
    seconds = time.perf_counter() - begun
    for peer in peers:
        peer.close()
    return count / seconds


MEASUREMENT = Measurement("mllp", run)
