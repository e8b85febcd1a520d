"""FHIR tokens of a running gateway: agreed in its profiles, and exchanged while it works."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
from typer.testing import CliRunner

from services.console.commands.token import Token
from services.console.embedded import NatsServer
from services.console.main import app
from shared.process import RunFile
from tests.integration.gateway.test_gateway import gateway
from tests.unit.gateway.fhir_write.resources import contained_referral


def made() -> Token:
    told = CliRunner().invoke(app, ["token", "lakeside", "--json"])
    return msgspec.json.decode(told.stdout, type=Token)


def agree(profiles: Path, *tokens: Token, messages: str = "all") -> None:
    hashes = ", ".join(token.hash for token in tokens)
    profiles.write_text(
        f"profiles:\n  lakeside:\n    source: lakeside\n    messages: {messages}\n    tokens: [{hashes}]\n"
    )


class Sender:
    """Sends referrals with tokens; each is another."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._number = 0

    async def answered(self, token: Token) -> httpx.Response:
        self._number += 1
        return await self._client.post(
            "/fhir/ServiceRequest",
            content=msgspec.json.encode(contained_referral(f"R-{self._number}")),
            headers={"Authorization": f"Bearer {token.token}", "Content-Type": "application/fhir+json"},
        )

    async def until(self, token: Token, status: int) -> None:
        while (await self.answered(token)).status_code != status:  # noqa: ASYNC110 -- another process is
            await asyncio.sleep(0.05)


def fhir(run_file: Path) -> str:
    port = msgspec.json.decode(run_file.read_bytes(), type=RunFile).ports["fhir"]
    return f"http://127.0.0.1:{port}"


@asynccontextmanager
async def sender(run_file: Path) -> AsyncGenerator[Sender]:
    async with httpx.AsyncClient(base_url=fhir(run_file), timeout=20) as client:
        yield Sender(client)


async def test_a_token_is_exchanged_without_a_moment_in_which_none_works(
    nats_server: NatsServer, servers_directory: Path, tmp_path: Path
):
    profiles, run_file = tmp_path / "profiles.yaml", servers_directory / "gateway.json"
    old, new = made(), made()
    agree(profiles, old)
    async with (
        gateway(nats_server, servers_directory, THROUGHCARE_PROFILES=str(profiles)) as edge,
        sender(run_file) as hospital,
    ):
        assert [(await hospital.answered(token)).status_code for token in (old, new)] == [201, 401]
        agree(profiles, old, new)
        await hospital.until(new, 201)
        assert (await hospital.answered(old)).status_code == 201
        agree(profiles, new)
        await hospital.until(old, 401)
        assert (await hospital.answered(new)).status_code == 201
        assert {stored.data.source for stored in await edge.stored()} == {"lakeside"}


async def test_what_a_profile_leaves_out_its_source_cannot_send_by_fhir_either(
    nats_server: NatsServer, servers_directory: Path, tmp_path: Path
):
    profiles, token = tmp_path / "profiles.yaml", made()
    agree(profiles, token, messages="[ADT, REF^I13]")
    async with (
        gateway(nats_server, servers_directory, THROUGHCARE_PROFILES=str(profiles)) as edge,
        sender(servers_directory / "gateway.json") as hospital,
    ):
        answer = await hospital.answered(token)
        assert answer.status_code == 403
        [issue] = answer.json()["issue"]
        assert (issue["code"], issue["expression"]) == ("forbidden", ["ServiceRequest"])
        assert "REF^I12" in issue["diagnostics"]
        assert await edge.stored() == []
        agree(profiles, token, messages="[REF^I12]")
        await hospital.until(token, 201)
