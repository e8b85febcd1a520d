"""FHIR referrals a second, each stored durably before its answer, to Litestar returning a constant."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from uuid import uuid4

import msgspec
import uvloop
from msgspec.structs import replace

from shared.settings import Settings
from tests.bench.alone import gateway_process, peer_process
from tests.bench.context import Context
from tests.bench.figure import Figure, Measurement, Target, figure
from tests.bench.http_peer import HttpPeer
from tests.bench.rounds import interleaved, rounds_of
from tests.unit.gateway.fhir_write.resources import contained_referral

_TARGET = Target(">=", 0.35)
_ANSWER_SECONDS = 120.0
_CONNECTIONS = 128  # one request on its way on each: as many as the MLLP figure keeps in flight
_TOKEN = "token-of-the-bench"


def run(context: Context) -> Sequence[Figure]:
    """Give referrals a second over 128 connections, one request at a time on each."""
    count = context.choose(quick=1_500, full=6_000)
    rounds = context.choose(quick=3, full=5)
    with (
        context.servers("fhir") as settings,
        gateway_process(_with_token(settings), context.folder / "fhir", "fhir") as ours,
        peer_process("tests.bench.litestar_constant") as bare,
    ):
        for port in (bare, ours):  # the first requests meet cold caches
            uvloop.run(_rate(port, count))
        rates = rounds_of(
            interleaved(
                rounds,
                ours=lambda: uvloop.run(_rate(ours, count)),
                bare=lambda: uvloop.run(_rate(bare, count)),
            )
        )
    name = f"FHIR referrals by POST, {_CONNECTIONS} connections"
    return [figure(name, rates.value, "requests/s", rates.ceiling, _TARGET)]


def _with_token(settings: Settings) -> Settings:
    return replace(settings, fhir_tokens=f"bench={_TOKEN}")


async def _rate(port: int, count: int) -> float:
    requests = list(_requests(count))
    peers = [await HttpPeer.open(port) for _ in range(_CONNECTIONS)]
    begun = time.perf_counter()
    async with asyncio.timeout(_ANSWER_SECONDS):
        await asyncio.gather(*(peer.send(requests[at::_CONNECTIONS]) for at, peer in enumerate(peers)))
    seconds = time.perf_counter() - begun
    for peer in peers:
        peer.close()
    return count / seconds


def _requests(count: int) -> Iterator[bytes]:
    """Give requests as an interface engine sends them: a ServiceRequest with its Patient inside."""
    for _ in range(count):
        number = uuid4().hex
        body = msgspec.json.encode(contained_referral(f"R{number}", number))
        head = (
            "POST /fhir/ServiceRequest HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/fhir+json\r\n"
            f"Authorization: Bearer {_TOKEN}\r\nPrefer: return=minimal\r\n"
            f"Content-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


MEASUREMENT = Measurement("fhir", run)
