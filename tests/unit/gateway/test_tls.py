import asyncio
import hashlib
import socket
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from services.gateway.certificate_book import CertificateBook
from services.gateway.mllp.certificate import Certificate, mark
from services.gateway.mllp.client import Answer, send
from services.gateway.mllp.connection import Handler, Limits
from services.gateway.mllp.framing import Frame, framed
from services.gateway.mllp.server import serve
from services.gateway.mllp.tls import RenewableContext, TlsError, client_context, server_context
from shared.settings import Settings
from tests.unit.gateway.messages import discharge
from tests.unit.gateway.revocations import revocations

HOST = "127.0.0.1"


async def accept(frame: Frame) -> bytes | None:
    assert isinstance(frame, bytes)
    return b"MSH|^~\\&|||||||ACK|1|P|2.5\rMSA|AA|LK-3\r"


class Files:
    """An authority, a server's certificate and a client's, as the PEM files that a hospital would have."""

    def __init__(self, folder: Path) -> None:
        authority = self.issuer = trustme.CA()
        self.authority = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.authority))
        self.revocations = folder / "crl.pem"
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


def test_a_certificate_without_its_key_is_told_of_in_words(files: Files):
    with pytest.raises(TlsError, match="a certificate or its key as PEM, is not in it"):
        client_context(certificate=files.authority)  # of the authority the certificate alone is in a file


async def shown(server: ssl.SSLContext, client: ssl.SSLContext) -> list[Certificate]:
    """The certificates that a server sees of one client."""
    seen: list[Certificate] = []

    def identified(certificate: Certificate) -> Handler:
        seen.append(certificate)
        return accept

    listening = await serve(accept, HOST, 0, tls=server, identified=identified)
    try:
        answers = [each async for each in send(HOST, listening.port, [discharge()], timeout=5, tls=client)]
    finally:
        await listening.close()
    assert [answer.code for answer in answers] == ["AA"]
    return seen


async def test_a_peer_is_known_by_the_fingerprint_and_the_names_of_its_certificate(tmp_path: Path):
    authority = trustme.CA()
    names = ("engine.lakeside.example", "engine@lakeside.example", "127.0.0.1", "::1")
    issued = authority.issue_cert(*names)
    trusted, client = tmp_path / "ca.pem", tmp_path / "client.pem"
    authority.cert_pem.write_to_path(str(trusted))
    issued.private_key_and_cert_chain_pem.write_to_path(str(client))
    [found] = await shown(server_context(client, client_ca=trusted), client_context(trusted, client))
    encoded = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
    assert found.fingerprint == hashlib.sha256(encoded).hexdigest()
    assert found.names == set(
        map(mark, ("DNS:engine.lakeside.example", "email:engine@lakeside.example", "IP:127.0.0.1", "IP:::1"))
    )
    assert found.bears({mark(f"SHA256:{found.fingerprint.upper()}")})
    assert not found.bears({mark("DNS:lakeside.example"), mark("DNS:*.lakeside.example")})


async def test_where_no_certificate_is_asked_for_a_peer_is_nobody(files: Files):
    client = client_context(files.authority, files.client)
    assert await shown(server_context(files.server), client) == []


def resumed(port: int, client: ssl.SSLContext, session: ssl.SSLSession | None) -> tuple[bool, ssl.SSLSession]:
    """Send a message as a client that goes on with a session: whether the server let it, and what is next."""
    with (
        socket.create_connection((HOST, port), timeout=5) as plain,
        client.wrap_socket(plain, server_hostname=HOST, session=session) as peer,
    ):
        peer.sendall(framed(discharge()))
        if not peer.recv(1_000).startswith(b"\x0bMSH"):
            raise ConnectionError
        assert peer.session is not None
        return bool(peer.session_reused), peer.session


async def test_an_authority_that_is_taken_out_lets_nobody_in_not_even_by_a_ticket(
    files: Files, tmp_path: Path
):
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    context = RenewableContext(server_context(files.server, client_ca=files.authority))
    client = client_context(files.authority, files.client)
    listening = await serve(accept, HOST, 0, tls=context)
    try:
        _, session = await asyncio.to_thread(resumed, listening.port, client, None)
        went_on, session = await asyncio.to_thread(resumed, listening.port, client, session)
        assert went_on
        context.renew(server_context(files.server, client_ca=other))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.to_thread(resumed, listening.port, client, session)
    finally:
        await listening.close()


async def heard(files: Files, client: ssl.SSLContext) -> bool:
    """Whether a server that looks at the revocations hears a client."""
    server = server_context(files.server, client_ca=files.authority, client_crl=files.revocations)
    try:
        [answer] = await answers(server, client)
    except OSError:
        return False
    return answer.code == "AA"


async def test_only_who_is_revoked_is_refused(files: Files, tmp_path: Path):
    other = tmp_path / "other.pem"
    files.issuer.issue_cert("other.lakeside.example").private_key_and_cert_chain_pem.write_to_path(str(other))
    files.revocations.write_bytes(revocations(files.issuer, files.client))
    assert not await heard(files, client_context(files.authority, files.client))
    assert await heard(files, client_context(files.authority, other))


async def test_without_a_list_in_force_of_its_authority_nobody_is_heard(files: Files):
    client = client_context(files.authority, files.client)
    for outdated in (
        revocations(files.issuer, lasts=timedelta(days=-1)),
        revocations(trustme.CA()),
    ):
        files.revocations.write_bytes(outdated)
        assert not await heard(files, client)


def test_a_file_without_a_list_of_revocations_is_named(files: Files):
    files.revocations.write_text("nothing")
    for wrong in (files.revocations, files.authority):
        with pytest.raises(TlsError, match=wrong.name):
            server_context(files.server, client_ca=files.authority, client_crl=wrong)


def test_revocations_without_their_authority_are_an_error_of_the_settings(files: Files):
    settings = Settings(
        nats_url="nats://localhost",
        database_url="postgresql://localhost",
        identifier_key="k" * 16,
        mllp_tls_certificate=str(files.server),
        mllp_tls_client_crl=str(files.revocations),
    )
    with pytest.raises(TlsError, match="CLIENT_CA is missing"):
        CertificateBook.of(settings)
