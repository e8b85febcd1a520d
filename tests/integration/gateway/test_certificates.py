"""TLS of a running gateway: who a sender is, and certificates that are renewed while it works."""

import asyncio
import signal
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest
import trustme

from services.console.embedded import NatsServer
from services.gateway.mllp.client import Answer, send
from services.gateway.mllp.framing import framed
from services.gateway.mllp.tls import client_context
from tests.integration.gateway.test_gateway import Gateway, gateway
from tests.integration.gateway.test_profiles import readiness
from tests.unit.gateway.messages import discharge
from tests.unit.gateway.revocations import revocations

HOST = "127.0.0.1"
PROFILES = """\
default: {production: false}
profiles:
  lakeside:
    sender: {facility: LAKESIDE}
    source: lake
    certificates: [DNS:engine.lakeside.example]
"""


def write(path: Path, *blobs: trustme.Blob) -> Path:
    """Put a file in another's place, as a certificate's renewal does."""
    other = path.with_suffix(".new")
    other.write_bytes(b"".join(blob.bytes() for blob in blobs))
    return other.replace(path)


class Hospital:
    """An authority, and the files that it made for the gateway and for senders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = folder / "ca.pem"
        self.server = folder / "server.pem"
        self.revocations = folder / "crl.pem"
        self._number = count()
        self.renew()

    def renew(self) -> None:
        """Replace the authority and the gateway's certificate."""
        self._ca = trustme.CA()
        write(self.authority, self._ca.cert_pem)
        write(self.server, self._ca.issue_cert(HOST).private_key_and_cert_chain_pem)

    def certificate(self, name: str) -> Path:
        issued = self._ca.issue_cert(name)
        return write(self.folder / f"{next(self._number)}.pem", issued.private_key_and_cert_chain_pem)

    def revoke(self, *certificates: Path) -> None:
        """Publish the authority's list of revocations anew, with these on it."""
        write(self.revocations, trustme.Blob(revocations(self._ca, *certificates)))

    def engine(self, name: str) -> ssl.SSLContext:
        """What a sender of this name connects with."""
        return client_context(self.authority, self.certificate(name))

    def settings(self) -> dict[str, str]:
        return {
            "THROUGHCARE_MLLP_TLS_CERTIFICATE": str(self.server),
            "THROUGHCARE_MLLP_TLS_CLIENT_CA": str(self.authority),
        }


async def sent(edge: Gateway, control_id: str, engine: ssl.SSLContext) -> Answer:
    message = discharge(control_id=control_id)
    [answer] = [each async for each in send(HOST, edge.port, [message], timeout=10, tls=engine)]
    return answer


async def lets_in(edge: Gateway, engine: ssl.SSLContext) -> bool:
    try:
        return (await sent(edge, "LK-TRY", engine)).code == "AA"
    except OSError:  # in the handshake; or it is the first answer that does not come
        return False


async def until_let_in(edge: Gateway, engine: ssl.SSLContext) -> None:
    while not await lets_in(edge, engine):  # noqa: ASYNC110 -- another process is
        await asyncio.sleep(0.05)


async def noticed(run_file: Path, name: str) -> str:
    _, found = await asyncio.to_thread(readiness, run_file)
    return found.notices.get(name, "")


async def until_noticed(run_file: Path, name: str, *, says: bool = True) -> str:
    """Wait until there is a notice of this name, or none any more; return it."""
    while bool(told := await noticed(run_file, name)) != says:  # noqa: ASYNC110 -- another process is
        await asyncio.sleep(0.05)
    return told


class Line:
    """A connection that stays open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def accepts(self, control_id: str) -> bool:
        self._writer.write(framed(discharge(control_id=control_id)))
        return f"MSA|AA|{control_id}".encode() in await self._reader.readuntil(b"\x1c\r")


@asynccontextmanager
async def line(edge: Gateway, engine: ssl.SSLContext) -> AsyncGenerator[Line]:
    reader, writer = await asyncio.open_connection(HOST, edge.port, ssl=engine)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    return Hospital(tmp_path)


async def test_a_sender_is_believed_only_with_a_certificate_that_its_profile_names(
    nats_server: NatsServer, servers_directory: Path, tmp_path: Path, hospital: Hospital
):
    profiles = tmp_path / "profiles.yaml"
    profiles.write_text(PROFILES)
    settings = hospital.settings() | {"THROUGHCARE_PROFILES": str(profiles)}
    async with gateway(nats_server, servers_directory, **settings) as edge:
        assert (await sent(edge, "OWN", hospital.engine("engine.lakeside.example"))).code == "AA"
        refused = await sent(edge, "OTHERS", hospital.engine("engine.elsewhere.example"))
        assert refused.code == "AR"
        assert refused.error.startswith("MSH-3: This sender has to show a certificate")
        [stored] = await edge.stored()
    assert (stored.data.source, stored.data.original.control_id) == ("lake", "OWN")


async def test_certificates_are_renewed_while_it_runs_and_open_connections_live_on(
    nats_server: NatsServer, servers_directory: Path, hospital: Hospital
):
    async with (
        gateway(nats_server, servers_directory, **hospital.settings()) as edge,
        line(edge, hospital.engine("engine.lakeside.example")) as opened_before,
    ):
        assert await opened_before.accepts("BEFORE")
        old = hospital.certificate("engine.lakeside.example")
        hospital.renew()
        edge.process.send_signal(signal.SIGHUP)
        await until_let_in(edge, hospital.engine("engine.lakeside.example"))
        assert not await lets_in(edge, client_context(hospital.authority, old))
        assert await opened_before.accepts("AFTER")


async def test_a_broken_certificate_leaves_the_old_one_in_force_and_is_shown(
    nats_server: NatsServer, servers_directory: Path, hospital: Hospital
):
    run_file = servers_directory / "gateway.json"
    async with gateway(nats_server, servers_directory, **hospital.settings()) as edge:
        engine = hospital.engine("engine.lakeside.example")
        hospital.server.write_text("half a certificate")
        told = await until_noticed(run_file, "certificates")
        assert told.startswith("The certificates read before stay in force.")
        assert str(hospital.server) in told
        assert await lets_in(edge, engine)
        hospital.renew()
        await until_noticed(run_file, "certificates", says=False)
        await until_let_in(edge, hospital.engine("engine.lakeside.example"))


async def test_a_profile_whose_certificates_nobody_can_show_is_noticed(
    nats_server: NatsServer, servers_directory: Path, tmp_path: Path
):
    profiles = tmp_path / "profiles.yaml"
    profiles.write_text(PROFILES)
    async with gateway(nats_server, servers_directory, THROUGHCARE_PROFILES=str(profiles)) as edge:
        assert await edge.codes(discharge()) == ["AR"]
        assert (await until_noticed(servers_directory / "gateway.json", "profiles")).startswith("lakeside: ")


async def test_who_is_revoked_is_refused_once_the_list_is_there_and_others_are_not(
    nats_server: NatsServer, servers_directory: Path, hospital: Hospital
):
    revoked = hospital.certificate("engine.lakeside.example")
    engine = client_context(hospital.authority, revoked)
    hospital.revoke()
    settings = hospital.settings() | {"THROUGHCARE_MLLP_TLS_CLIENT_CRL": str(hospital.revocations)}
    async with gateway(nats_server, servers_directory, **settings) as edge:
        assert await lets_in(edge, engine)
        hospital.revoke(revoked)
        async with asyncio.timeout(30):
            while await lets_in(edge, engine):  # noqa: ASYNC110 -- another process is
                await asyncio.sleep(0.05)
        assert await lets_in(edge, hospital.engine("engine.elsewhere.example"))
