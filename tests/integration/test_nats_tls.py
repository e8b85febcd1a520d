"""Services sign in to a server that speaks TLS only, wants their certificate, and knows them by password."""

from collections.abc import Generator
from pathlib import Path

import pytest
import trustme
from faststream.nats import NatsBroker
from msgspec.structs import replace

from services.console import nats_accounts
from services.console.faults import Failed
from services.console.nats_accounts import SERVICES
from services.console.nats_server import NatsServer
from services.console.place import nats_of
from services.console.server_process import free_port
from shared.eventlog.connection import connect, options, security
from shared.settings import Settings, SettingsError

PASSWORD = "of the services"


class TlsServer(NatsServer):
    """A server whose clients need a certificate of the same authority."""

    def _command(self) -> list[str]:
        command = super()._command()
        with self.configuration.open("a") as file:
            file.write(
                'tls { cert_file: "server.pem", key_file: "server.pem", ca_file: "ca.pem", verify: true }'
            )
        return command


@pytest.fixture
def settings(servers_directory: Path) -> Generator[Settings]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(servers_directory / "ca.pem")
    for name, host in (("server", "127.0.0.1"), ("client", "gateway.example")):
        authority.issue_cert(host).private_key_and_cert_chain_pem.write_to_path(
            servers_directory / f"{name}.pem"
        )
    users = {SERVICES: nats_accounts.hashed(PASSWORD)}
    (servers_directory / "accounts.conf").write_text(nats_accounts.write(users))
    with TlsServer(servers_directory, free_port(), free_port()) as server:
        yield Settings(
            nats_url=server.url,
            nats_user=SERVICES,
            nats_password=PASSWORD,
            nats_tls_ca=str(servers_directory / "ca.pem"),
            nats_tls_certificate=str(servers_directory / "client.pem"),
            database_url="postgresql://nowhere",
            identifier_key="0123456789abcdef",
        )


async def test_a_client_a_broker_and_the_console_are_let_in(settings: Settings):
    client = await connect(settings, name="client")
    assert client.is_connected
    await client.close()
    broker = NatsBroker(settings.nats_url, security=security(settings), logger=None, **options(name="broker"))
    await broker.connect()
    assert await broker.ping(timeout=5)
    await broker.stop()
    async with nats_of(settings) as console:
        await console.flush()


@pytest.mark.parametrize("without", ["nats_tls_ca", "nats_tls_certificate"])
async def test_without_the_authority_or_a_certificate_nobody_is_let_in(settings: Settings, without: str):
    with pytest.raises(Failed):
        async with nats_of(replace(settings, **{without: None})):
            pytest.fail("It was let in.")


async def test_a_file_that_is_not_there_is_said(settings: Settings):
    with pytest.raises(SettingsError, match="THROUGHCARE_NATS_TLS_… cannot be used: No such file"):
        await connect(replace(settings, nats_tls_ca="/nowhere.pem"), name="client")
