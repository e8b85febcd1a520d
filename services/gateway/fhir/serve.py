"""The FHIR side of the gateway, put together."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

from services.gateway.fhir.app import application
from services.gateway.fhir.auth import AgreedTokens, Authorities, ToldTokens, WithAgreements
from services.gateway.fhir.desk import Desk
from services.gateway.fhir.door import Door
from services.gateway.fhir.http_peer import HttpPeer
from services.gateway.fhir.listener import Listener
from services.gateway.fhir.resources import Resources
from services.gateway.fhir.settled import Settled
from services.gateway.profiles import Profiles
from shared.eventlog.client import CommandClient
from shared.eventlog.log import Log
from shared.settings import Settings

_SECONDS_TO_RECORD: Final = 2.0  # that something is disclosed: a reader waits no longer before it is told to


@asynccontextmanager
async def serving(
    settings: Settings,
    log: Log,
    profiles: Callable[[], Profiles],
    *,
    connections: int = HttpPeer.connection_limit,
) -> AsyncGenerator[Listener]:
    """Listen while inside; the tokens of the settings are known beside those of the profiles."""
    commands = CommandClient(log.client, timeout_seconds=_SECONDS_TO_RECORD)
    resources = await Resources.connected(
        settings.database_url, Settled(log, settings.partitions), Desk(settings, commands.ask)
    )
    door = Door(
        authority=WithAgreements(
            Authorities(AgreedTokens(profiles), ToldTokens(settings.fhir_tokens)),
            _assigners(profiles),
        ),
        resources=resources,
        publish=log.publish,
        largest_payload=lambda: log.client.max_payload,
        log=log,
        identifier_key=settings.identifier_key,
        profiles=profiles,
        base_url=settings.fhir_base_url,
    )
    app = application(door, largest_body=settings.fhir_max_bytes)
    listener = Listener(app, settings.fhir_host, settings.fhir_port, connections=connections)
    try:
        yield listener
    finally:
        await listener.close()
        await resources.close()


def _assigners(profiles: Callable[[], Profiles]) -> Callable[[str], frozenset[str]]:
    """Return how to find the assigners whose identifiers are a source's own, as its profiles say now."""

    def of(source: str) -> frozenset[str]:
        agreed = (each for each in profiles().each if each.token == source)
        return frozenset(each.conventions.assigner for each in agreed if each.conventions.assigner)

    return of
