"""The OpenAPI document, and requests that schemathesis makes of it, against the door as it is served."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from nats.aio.client import Client

from shared.eventlog import streams
from tests.integration.gateway.fhir.reading import Edge, edge, project
from tests.integration.gateway.fhir.record import GENERAL, TOKENS, kim, robin

SECONDS = 30
# What is only read is read in one way: two types stand for all of them.
ADDRESSES = (
    r"^/(batch|fhir(/(metadata|openapi.json|\$process-message"
    r"|(Patient|Goal|ServiceRequest|Task|Subscription|Observation|QuestionnaireResponse|Consent)(/.*)?))?)$"
)
HERE = Path(__file__).parent


@pytest.fixture
async def served(nats_url: str, database: str) -> AsyncGenerator[Edge]:
    nats = Client()
    await nats.connect(nats_url)
    await streams.apply(nats, 1)
    await nats.close()
    await project(database, robin(), kim())
    async with edge(nats_url, database) as one:
        yield one


async def test_the_document_is_valid_and_says_what_the_capability_statement_says(served: Edge):
    document: dict[str, Any] = (await served.get("/openapi.json", None)).json()
    schemathesis.openapi.from_dict(document).validate()
    assert document["servers"] == [{"url": served.base.removesuffix("/fhir")}]
    statement = (await served.get("/metadata", None)).json()
    methods = {"read": "get", "update": "put", "patch": "patch", "delete": "delete"}
    for resource in statement["rest"][0]["resource"]:
        base, one = (f"/fhir/{resource['type']}{end}" for end in ("", "/{id}"))
        codes = {each["code"] for each in resource["interaction"]}
        assert set(document["paths"].get(one, {})) == {methods[each] for each in codes & set(methods)}
        also = {"get" for _ in codes & {"search-type"}} | {"post" for _ in codes & {"create"}}
        assert set(document["paths"].get(base, {})) == also


@pytest.mark.timeout(SECONDS + 60)
async def test_no_request_is_answered_otherwise_than_the_document_says(served: Edge, tmp_path: Path):
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")),
        *("run", f"{served.base}/openapi.json", "--max-time", str(SECONDS), "--seed", "1", "--no-color"),
        *("--include-path-regex", ADDRESSES, "--generation-database", "none"),
        *("--header", f"Authorization: Bearer {TOKENS[GENERAL]}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=tmp_path,
        env={**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "answers.py")},
    )
    told, _ = await run.communicate()
    assert run.returncode == 0, told.decode()[-8_000:]
