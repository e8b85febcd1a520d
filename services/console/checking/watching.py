"""Looks whether what was sent arrived: as its sender sees it, by FHIR or in the statuses of its referrals."""

from typing import Any, Final, Protocol

import httpx
import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError

from services.console.checking.case import Case
from services.console.checking.steps import Sight
from services.console.waiting import until
from shared.events.outbound import StatusPage, StatusRequest

_ASK_SECONDS: Final = 5.0
_OK: Final = 200


class Watch(Protocol):
    """One way to look."""

    async def sees(self, case: Case, sight: Sight, seconds: float) -> bool | None:
        """Wait until it is to be seen; None where this way cannot see it."""
        ...


class FhirWatch:
    """Searches as the sender."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def sees(self, case: Case, sight: Sight, seconds: float) -> bool:
        """Search again and again."""

        async def found() -> bool:
            try:
                answer = await self._client.get(sight.kind, params=dict(sight.search(case)))
            except httpx.HTTPError:
                return False
            if answer.status_code != _OK:
                return False
            entries: list[dict[str, Any]] = msgspec.json.decode(answer.content).get("entry", [])
            return any(sight.holds(each["resource"]) for each in entries)

        return await until(found, seconds)


class StatusWatch:
    """Asks for the sender's statuses over NATS: of a referral only, for of nothing else a sender is told."""

    def __init__(self, client: Client, source: str) -> None:
        self._client = client
        self._source = source

    async def sees(self, case: Case, sight: Sight, seconds: float) -> bool | None:
        """Read on from the last status that was read, until the referral's comes."""
        if sight.status is None:
            return None

        async def told() -> bool:
            asked = msgspec.json.encode(StatusRequest(since=case.now))
            try:
                answer = await self._client.request(
                    f"status.{self._source}.next", asked, timeout=_ASK_SECONDS
                )
            except (NatsError, TimeoutError):
                return False
            page = msgspec.json.decode(answer.data, type=StatusPage)
            statuses = (each.event.data for each in page.entries)
            return any(each.placer.value == case.placer and each.status == sight.status for each in statuses)

        return await until(told, seconds)


class NoWatch:
    """Sees nothing."""

    async def sees(self, case: Case, sight: Sight, seconds: float) -> None:  # noqa: ARG002 -- as all ways
        """Return at once."""
        return
