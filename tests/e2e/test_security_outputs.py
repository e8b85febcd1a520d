"""Whatever is sent, no output of any process names anybody: logs, metrics, readiness, subjects, file names.

A mark is put into every field of many messages, alone and with what breaks things: markup, controls, more
than an index holds. Answers to who sent it are not looked at; what an operator sees is.
"""

import asyncio
import itertools
import re
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any, Final, cast
from unittest.mock import ANY
from urllib.parse import quote

import httpx
import msgspec
import pytest

from services.gateway.fhir.auth import hash_of
from services.gateway.mllp.client import send
from shared.events.schemas import SAMPLES
from shared.projections.parking import parked_events
from tests.e2e.deployment import SERVICES, Deployment
from tests.unit.gateway.fhir_write.resources import (
    alert,
    contained_referral,
    phq9,
    referral_transaction,
)
from tests.unit.gateway.messages import PID, PV1, discharge, msh, referral, text

pytestmark = pytest.mark.timeout(180)

TOKEN: Final = "token-of-prying-0123456789"
PROFILES: Final = f"""
default: {{}}
profiles:
  prying:
    source: prying
    tokens: ["SHA256:{hash_of(TOKEN)}"]
"""
MARK: Final = "Quillfeather"
DAY: Final = "19470613"
_LONG: Final = Random(7).randbytes(10_000).hex()  # noqa: S311 -- no secret; no compression makes it fit
TAILS: Final = ("", " \\X1B\\[2J", "'; drop table--", "{0}%s$1", "\\X0A\\ERROR", _LONG)
SENDERS_OWN: Final = {("MSH", number) for number in (0, 1, 2, 3, 4, 5, 6)}  # names of systems, in subjects


@pytest.fixture(scope="module")
async def running() -> AsyncGenerator[tuple[Deployment, Path]]:
    directory = Path(tempfile.mkdtemp(prefix="throughcare-"))
    profiles = directory / "profiles.yaml"
    profiles.write_text(PROFILES)
    deployment = await Deployment.start(directory, profiles=profiles)
    yield deployment, directory
    await deployment.stop()
    shutil.rmtree(directory)


def marks() -> Iterator[str]:
    for number, tail in zip(itertools.count(), itertools.cycle(TAILS)):
        yield f"{MARK}{number}{tail}"


def of_hl7(marks: Iterator[str]) -> Iterator[bytes]:
    merge = text(
        msh("ADT^A40^ADT_A39", "LK-40"), "EVN|A40|20260303101400-0500", PID, "MRG|40072^^^LAKESIDE^MR"
    )
    stay = text(msh("ADT^A01^ADT_A01", "LK-1"), "EVN|A01|20260303101400-0500", PID, PV1)
    for number, raw in enumerate((referral(), stay, discharge(), merge)):
        segments = raw.decode().split("\r")
        for at, segment in enumerate(segments):
            fields = segment.split("|")
            for field in range(len(fields)):
                if (fields[0], field) in SENDERS_OWN:
                    continue
                changed = [*fields[:field], next(marks), *fields[field + 1 :]]
                yield "\r".join([*segments[:at], "|".join(changed), *segments[at + 1 :]]).encode()
        yield raw.replace(b"19910412", DAY.encode()).replace(b"LK-", b"LD-%d-" % number)


def of_json(document: Any, marks: Iterator[str]) -> Iterator[bytes]:  # noqa: ANN401
    for path in _places(document):
        changed = deepcopy(document)
        within = changed
        for key in path[:-1]:
            within = within[key]
        within[path[-1]] = next(marks)
        yield msgspec.json.encode(changed)


def _places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(node, dict):
        inner = cast("dict[Any, Any]", node).items()
    elif isinstance(node, list):
        inner = enumerate(cast("list[Any]", node))
    for key, value in inner:
        yield (*path, key)
        yield from _places(value, (*path, key))


async def tell_all(deployment: Deployment) -> None:
    """Send it all by every way; expects that some of each is taken and some refused."""
    names = marks()
    sent = list(of_hl7(names))
    answers = send("127.0.0.1", deployment.settings.mllp_port, sent, window=16)
    taken = sum([answer.is_accepted async for answer in answers])
    assert 0 < taken < len(sent)
    async with caller(deployment) as client:
        await _ask(client, names)
        for kind, lines in (("hl7-v2", of_hl7(names)), ("x-ndjson", _lines(names))):
            end = b"\r" if kind == "hl7-v2" else b"\n"
            told = await client.post(
                "/batch", content=end.join(lines), headers={"Content-Type": f"application/{kind}"}
            )
            [summary] = re.findall(rb'"summary":(.*)}', told.content)
            assert msgspec.json.decode(summary) == {"stored": ANY, "refused": ANY, "complete": True}
            assert not re.search(rb'"(stored|refused)":0', summary)


def _lines(names: Iterator[str]) -> Iterator[bytes]:
    told = contained_referral(), phq9([1] * 9, "Patient/p1"), referral_transaction(), alert()
    events = [msgspec.json.decode(each.read_bytes()) for each in sorted((SAMPLES / "inbound").glob("*.json"))]
    for document in (*told, *events):
        yield msgspec.json.encode(document)
        yield from of_json(document, names)


async def _ask(client: httpx.AsyncClient, names: Iterator[str]) -> None:
    """Put a mark into addresses, searches, headers and bodies that are refused."""
    for name in itertools.islice(names, 6):
        short = quote(name[:2_000])
        for address in ("Patient/", "Subscription/", "Patient?name=", "Patient?birthdate=", "Task?status="):
            await client.get(f"/fhir/{address}{short}")
        await client.get(f"/{short}", headers={"Accept": short, "Prefer": short, "If-None-Match": short})
        await client.get("/fhir/Patient", headers={"Authorization": f"Bearer {short}"})
        await client.post("/fhir/Patient/_search", data={"identifier": f"{name}|{name}", "family": name})
        for media in ("application/fhir+json", name[:20].replace("\n", " "), "application/x-ndjson"):
            body, headers = f'{{"resourceType": "{MARK}"', {"Content-Type": media, "Idempotency-Key": short}
            await client.post("/fhir/ServiceRequest", content=body, headers=headers)


def caller(deployment: Deployment) -> httpx.AsyncClient:
    told = deployment.service("gateway").reached()
    assert told is not None
    base = f"http://127.0.0.1:{told.ports['fhir']}"
    return httpx.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)


async def outputs(deployment: Deployment, directory: Path) -> AsyncIterator[tuple[str, str]]:
    """Give what can be read without access to the data: where it stands, and its text."""
    for file in await asyncio.to_thread(lambda: list(directory.rglob("*"))):
        if "data" not in file.parts and "store" not in file.parts:
            yield "a file's name", str(file)
        if file.suffix == ".log":
            yield str(file), await asyncio.to_thread(file.read_text, errors="replace")
    for name in SERVICES:
        told = deployment.service(name).reached()
        assert told is not None
        async with httpx.AsyncClient(base_url=told.admin) as admin:
            for page in ("/metrics", "/readyz", "/livez"):
                yield f"{page} of {name}", (await admin.get(page)).text
    jetstream = deployment.nats.jetstream()  # pyright: ignore[reportUnknownMemberType] -- its **opts have no types
    for stream in await jetstream.streams_info():
        known = await jetstream.stream_info(stream.config.name or "", subjects_filter=">")
        yield f"subjects of {stream.config.name}", "\n".join(known.state.subjects or ())


async def test_no_output_names_anybody(running: tuple[Deployment, Path]):
    deployment, directory = running
    await tell_all(deployment)
    await deployment.caught_up()
    found = re.compile(f"{MARK}|{DAY}|1947-06-13|Okafor|40071|900-11-2222", re.IGNORECASE)
    told = [
        f"{where}: {text[max(at.start() - 200, 0) : at.end() + 60]}"
        async for where, text in outputs(deployment, directory)
        for at in found.finditer(text)
    ]
    assert told[:5] == []
    async with deployment.database() as connection:  # what is not found was there to be told
        refused = [each.reason for each in await parked_events(connection)]
        assert "Postgres refused a row: ProgramLimitExceededError." in refused
        told_of = "select count(*) from log.journal where position($1::bytea in message) > 0"
        assert await connection.fetchval(told_of, MARK.encode()) > len(TAILS)
