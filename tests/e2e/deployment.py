"""Throughcare as deployed: both servers and every service as a process of its own, to kill and start again.

What hospitals and coordinators were told is remembered; `account()` compares it with what the log and the
read models hold, to the last message.
"""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, Self
from uuid import UUID

import asyncpg
from msgspec.structs import replace
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from services.console import nats_accounts
from services.console.demo.fleet import Fleet, Service
from services.console.embedded import EmbeddedServers
from services.console.nats_accounts import SERVICES as SERVICES_USER
from services.console.server_process import LOOPBACK, free_port
from services.timeline.read_models import projections
from shared.commands.base import Command
from shared.commands.decision import Refused
from shared.commands.reply import Appended, Reply, Unavailable
from shared.eventlog import streams
from shared.eventlog.client import CommandClient
from shared.eventlog.connection import connect
from shared.eventlog.errors import LogUnavailableError
from shared.eventlog.log import Log
from shared.eventlog.subjects import partition_of, stream_of
from shared.events.registry import REGISTRY
from shared.identifiers import identity_key
from shared.projections.checkpoint import read_checkpoints
from shared.projections.difference import Difference
from shared.projections.history import stream_info
from shared.projections.postgres import Connection
from shared.projections.postgres import connect as connect_postgres
from shared.projections.verify import verify
from shared.settings import Settings
from shared.site import site_of
from tests.e2e.account import Account, Held, Ledger
from tests.e2e.cluster import NODES, ClusterServers
from tests.e2e.hospital import Hospital, Patient

SERVICES: Final = ("gateway", "intake", "care_plan", "aftercare", "timeline")
NATS: Final = "nats-server"
POSTGRES: Final = "postgres"
PARTITIONS: Final = 2
PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.02

Condition = Callable[[], bool] | Callable[[], Awaitable[bool]]
_AWAY = (OSError, TimeoutError, NatsError, LogUnavailableError, asyncpg.PostgresError, asyncpg.InterfaceError)


Servers = EmbeddedServers | ClusterServers


class Deployment:
    """Two servers, the services on them, and whoever uses them."""

    def __init__(self, servers: Servers, settings: Settings, directory: Path, nats: Client) -> None:
        self.servers = servers
        self.settings = settings
        self.nats = nats
        self.log = Log(nats)
        self.ledger = Ledger()
        self.hospital = Hospital(LOOPBACK, settings.mllp_port, self.ledger)
        self.is_sound = False  # accounted for, so that another test may go on with it
        self._directory = directory
        self._fleet = Fleet(settings, directory / "services", SERVICES)
        self._second: Fleet | None = None
        self._account = Account(nats, settings)

    @classmethod
    async def start(
        cls,
        directory: Path,
        *,
        partitions: int = PARTITIONS,
        passwords: Mapping[str, str] | None = None,
        profiles: Path | None = None,
        clustered: bool = False,
    ) -> Self:
        """Start the servers and every service below an empty directory; all are ready when this returns.

        With passwords NATS lets in only whom they are of: the services, and senders. Clustered it is three
        servers with three replicas.
        """
        if passwords:
            let_in(directory / "nats", passwords)
        servers = ClusterServers.start(directory) if clustered else EmbeddedServers.start(directory)
        settings = Settings(
            nats_url=servers.nats_url,
            database_url=servers.database_url,
            nats_monitor_url=servers.nats_monitor_url,
            nats_user=SERVICES_USER if passwords else None,
            nats_password=passwords[SERVICES_USER] if passwords else None,
            identifier_key=secrets.token_urlsafe(24),
            partitions=partitions,
            profiles=str(profiles) if profiles else None,
            mllp_port=free_port(),
            fhir_port=0,
        )
        nats = await connect(settings, name="tests")
        deployment = cls(servers, settings, directory, nats)
        try:
            await streams.apply(nats, partitions, replicas=NODES if clustered else None)
            deployment._fleet.start()
        except BaseException:
            await deployment.stop()
            raise
        return deployment

    async def stop(self) -> None:
        """Stop everything in order."""
        for fleet in self._fleets():
            fleet.stop()
        await self.nats.close()
        self.servers.stop()

    # What can be broken

    def kill(self, name: str) -> None:
        """End a service or a server as a power cut would, and wait until it is gone."""
        match name:
            case "nats-server":
                self.servers.nats.kill()
            case "postgres":
                self.servers.postgres.kill()
            case _:
                self._fleet[name].kill()

    def restart(self, name: str) -> None:
        """Start what was killed again, on the same port and data; `wait_ready` tells when it works."""
        match name:
            case "nats-server":
                self.servers.nats.start()
            case "postgres":
                self.servers.postgres.start()
            case _:
                self._fleet[name].start()

    @asynccontextmanager
    async def frozen(self, pid: int) -> AsyncGenerator[None]:
        """Keep a process from doing anything, its connections left open, as a broken network does."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):  # killed in the meantime
                os.kill(pid, signal.SIGCONT)

    def service(self, name: str) -> Service:
        """Return the process of a service."""
        return self._fleet[name]

    @asynccontextmanager
    async def doubled(self) -> AsyncGenerator[Hospital]:
        """Run a second process of every service; gives a hospital that sends to the second gateway."""
        settings = _with_port(self.settings, free_port())
        self._second = Fleet(settings, self._directory / "second", SERVICES).start()
        try:
            yield Hospital(LOOPBACK, settings.mllp_port, self.ledger)
        finally:
            self._second.stop()
            self._second = None

    # Those who use it

    async def ask(self, command: Command) -> Reply:
        """Ask as a coordinator does: again, with the same id, until it was decided."""
        client = CommandClient(self.nats, timeout_seconds=5)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                answer = await client.ask(command)
                if not isinstance(answer, Unavailable) and not _is_conflict(answer):
                    break
        if isinstance(answer, Appended):
            self.ledger.command_appended(command, answer)
        return answer

    @asynccontextmanager
    async def database(self) -> AsyncGenerator[Connection]:
        """Open a connection to Postgres."""
        connection = await connect_postgres(self.settings.database_url)
        try:
            yield connection
        finally:
            await connection.close()

    async def participant(self, person: Patient) -> UUID | None:
        """Return who a person is here; None where nobody referred them."""
        key = identity_key(person.identifier, self.settings.identifier_key)
        claimed = partition_of(key, self.settings.partitions)
        entry = await self.log.next(stream_of(claimed), f"care.{claimed}.identity.{key}", 1)
        return REGISTRY.decode(entry.payload).subject if entry else None

    async def registered(self, person: Patient) -> UUID:
        """Refer a person, and return who that is here."""
        await self.hospital.send([person.referral()])
        await self.caught_up()
        participant = await self.participant(person)
        assert participant is not None
        return participant

    async def held(self) -> Held:
        """Return what the log holds now."""
        return await self._account.read()

    async def last(self, stream: str) -> int:
        """Return the sequence of a stream's last message."""
        jetstream = self.nats.jetstream()  # pyright: ignore[reportUnknownMemberType] -- its **opts have no types
        return (await jetstream.stream_info(stream)).state.last_seq

    # Conditions

    async def until(self, what: str, condition: Condition, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until a condition holds; a server that is away is no answer yet. Fails naming it."""
        reason = ""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    try:
                        if await _holds(condition):
                            return
                        reason = ""
                    except _AWAY as error:
                        reason = f" ({type(error).__name__})"
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise AssertionError(f"Not so after {seconds:g} s: {what}{reason}.") from None

    async def wait_ready(self, *names: str) -> None:
        """Wait until the services named, or all, say that they are ready."""
        for name in names or SERVICES:
            await self.until(f"{name} is ready", lambda name=name: self.is_ready(name))

    async def is_ready(self, name: str) -> bool:
        """Ask a service's /readyz; fails where its process ended by itself."""
        service = self._fleet[name]
        assert service.is_running, f"{name} ended with status {service.status}:\n{service.last_words()}"
        return await asyncio.to_thread(service.problem) is None

    async def caught_up(self) -> None:
        """Wait until every message is handled, every effect of it in the log, and the log projected."""
        await self.until("everything is handled and projected", self._is_caught_up)

    async def _is_caught_up(self) -> bool:
        """Nothing waits anywhere, and no stream grew while we looked at one after the other."""
        before = await self._last_sequences()
        if not await self._is_handled() or not await self._is_projected():
            return False
        return before == await self._last_sequences()

    async def _last_sequences(self) -> list[int]:
        declared = streams.declared(self.settings.partitions)
        return [await self.last(each.config["name"]) for each in declared]

    async def _is_handled(self) -> bool:
        for stream in streams.declared(self.settings.partitions):
            for consumer in stream.consumers:
                if await self.log.pending(stream.config["name"], consumer["name"]) != 0:
                    return False
        return True

    async def _is_projected(self) -> bool:
        async with self.database() as connection:
            reached = {each.k: each.seq for each in await read_checkpoints(connection)}
        for k in range(self.settings.partitions):
            try:
                info = await stream_info(self.nats, k)
            except NotFoundError:
                raise AssertionError(f"There is no stream {stream_of(k)} any more.") from None
            if reached.get(k, 0) != info.state.last_seq:
                return False
        return True

    # The end of every test

    async def account(self) -> None:
        """Expect `verify` clean, nothing parked, and everything that was acknowledged exactly once."""
        await self.wait_ready()
        await self.caught_up()
        assert await self.differences() == []
        async with self.database() as connection:
            await self._account.settle(self.ledger, connection)
        self.is_sound = True

    async def differences(self) -> Sequence[Difference]:
        """Return what `throughcare verify` would list."""
        read_models = projections(site_of(self.settings))
        async with self.database() as connection:
            return [each async for each in verify(self.nats, connection, read_models)]

    def _fleets(self) -> Iterator[Fleet]:
        yield self._fleet
        if self._second is not None:
            yield self._second


def let_in(directory: Path, passwords: Mapping[str, str]) -> None:
    """Write the accounts file of a NATS server that starts on the directory."""
    directory.mkdir(parents=True)
    users = {name: nats_accounts.hashed(password) for name, password in passwords.items()}
    (directory / "accounts.conf").write_text(nats_accounts.write(users))


async def _holds(condition: Condition) -> bool:
    answer = condition()
    return answer if isinstance(answer, bool) else await answer


def _is_conflict(answer: Reply) -> bool:
    return isinstance(answer, Refused) and answer.code == "conflict"


def _with_port(settings: Settings, port: int) -> Settings:
    return replace(settings, mllp_port=port)
