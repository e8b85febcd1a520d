"""The FHIR side of the gateway, put together."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from services.gateway.fhir.app import application
from services.gateway.fhir.auth import AgreedTokens, Authorities, ToldTokens, WithAgreements
from services.gateway.fhir.door import Door
from services.gateway.fhir.http_peer import HttpPeer
from services.gateway.fhir.listener import Listener
from services.gateway.fhir.resources import Resources
from services.gateway.fhir.settled import Settled
from services.gateway.profiles import Profiles
from shared.eventlog.log import Log
from shared.settings import Settings


@asynccontextmanager
async def serving(
    settings: Settings,
    log: Log,
    profiles: Callable[[], Profiles],
    *,
    connections: int = HttpPeer.connection_limit,
) -> AsyncGenerator[Listener]:
    """Listen while inside; the tokens of the settings are known beside those of the profiles."""
    resources = await Resources.connected(settings.database_url, Settled(log, settings.partitions))
    door = Door(
        authority=WithAgreements(
            Authorities(AgreedTokens(profiles), ToldTokens(settings.fhir_tokens)),
            _assigners(profiles),
            settings.fhir_discloses_to.split(),
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
