import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from services.gateway.mllp.client import Answer, send
from services.gateway.mllp.connection import Limits
from services.gateway.mllp.framing import Frame
from services.gateway.mllp.server import serve
from services.gateway.mllp.tls import TlsError, client_context, server_context
from tests.unit.gateway.messages import discharge

HOST = "127.0.0.1"


async def accept(frame: Frame) -> bytes | None:
    assert isinstance(frame, bytes)
    return b"MSH|^~\\&|||||||ACK|1|P|2.5\rMSA|AA|LK-3\r"


class Files:
    """An authority, a server's certificate and a client's, as the PEM files that a hospital would have."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.authority = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.authority))
        self.server = folder / "server.pem"
        authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(self.server))
        self.client = folder / "client.pem"
        authority.issue_cert("engine@lakeside.example").private_key_and_cert_chain_pem.write_to_path(
            str(self.client)
        )


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def answers(server: ssl.SSLContext, client: ssl.SSLContext | None) -> list[Answer]:
    listening = await serve(accept, HOST, 0, limits=Limits(handshake=1.0), tls=server)
    try:
        return [answer async for answer in send(HOST, listening.port, [discharge()], timeout=5, tls=client)]
    finally:
        await listening.close()


async def test_messages_travel_over_tls(files: Files):
    [answer] = await answers(server_context(files.server), client_context(files.authority))
    assert answer.code == "AA"


async def test_a_server_that_nobody_vouches_for_gets_no_message(files: Files, tmp_path: Path):
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with pytest.raises(ssl.SSLCertVerificationError):
        await answers(server_context(files.server), client_context(other))


async def test_where_client_certificates_are_asked_for_only_who_has_one_is_heard(files: Files):
    server = server_context(files.server, client_ca=files.authority)
    [answer] = await answers(server, client_context(files.authority, files.client))
    assert answer.code == "AA"
    try:
        [refused] = await answers(server, client_context(files.authority))
    except OSError:
        return  # already the handshake fails, as TLS 1.2 has it
    assert refused.code == ""


async def test_plain_mllp_to_a_tls_port_is_no_message(files: Files):
    [answer] = await answers(server_context(files.server), None)
    assert answer.code == ""


async def test_a_peer_that_never_shakes_hands_is_cut_off(files: Files):
    listening = await serve(accept, HOST, 0, limits=Limits(handshake=0.2), tls=server_context(files.server))
    reader, writer = await asyncio.open_connection(HOST, listening.port)
    try:
        async with asyncio.timeout(5):
            assert await reader.read() == b""
    finally:
        writer.close()
        await listening.close()


def test_a_file_that_is_no_certificate_is_named(files: Files, tmp_path: Path):
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("not a certificate")
    for wrong in (nonsense, tmp_path / "missing.pem"):
        with pytest.raises(TlsError, match=wrong.name):
            server_context(wrong)
        with pytest.raises(TlsError, match=wrong.name):
            server_context(files.server, client_ca=wrong)
        with pytest.raises(TlsError, match=wrong.name):
            client_context(wrong)
