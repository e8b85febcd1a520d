"""FHIR Subscriptions as the write side keeps them in the bucket SUBSCRIPTIONS, keys `<source>.<id>`."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from services.gateway.delivery.criteria import criteria_of
from shared.eventlog.errors import ConflictError
from shared.eventlog.log import Log, StoredMessage
from shared.events.outbound import ReferralStatus

STREAM: Final = "KV_SUBSCRIPTIONS"
_PREFIX: Final = "$KV.SUBSCRIPTIONS."


class _Channel(Struct, frozen=True):
    endpoint: str
    payload: str | None = None
    header: tuple[str, ...] = ()


class _Meta(Struct, frozen=True, rename="camel"):
    last_updated: datetime | None = None  # when its owner made it; showing how it does does not change it


class _Resource(Struct, frozen=True):
    status: Literal["requested", "active", "error", "off"]
    criteria: str
    channel: _Channel
    end: datetime | None = None
    error: str | None = None
    meta: _Meta = _Meta()


class Subscription(Struct, frozen=True, kw_only=True):
    """What its owner chose, without what changes by delivering."""

    source: str
    id: str
    criteria: str
    endpoint: str
    with_task: bool  # else the call has an empty body
    headers: tuple[tuple[str, str], ...] = ()
    end: datetime | None = None

    @property
    def key(self) -> str:
        """Its key in the bucket."""
        return f"{self.source}.{self.id}"

    def is_over(self, now: datetime) -> bool:
        """Tell whether its owner wanted it no longer than until now."""
        if self.end is None:
            return False
        return (self.end if self.end.tzinfo else self.end.replace(tzinfo=UTC)) <= now

    def wants(self, status: ReferralStatus) -> bool:
        """Tell whether a status meets the criteria."""
        return criteria_of(self.criteria).are_met(status)


class Standing(Struct, frozen=True):
    """What a Subscription's owner sees of how it does (R4: `status` and `error`)."""

    status: Literal["requested", "active", "error", "off"]
    error: str | None = None


class Entry(Struct, frozen=True, kw_only=True):
    """A key of the bucket; `subscription` is None where it was deleted, is off or cannot be read."""

    source: str
    id: str
    since: datetime
    is_deleted: bool
    subscription: Subscription | None
    standing: Standing | None  # as it is shown; None where it cannot be read

    @property
    def key(self) -> str:
        """The key of its channel in the bucket DELIVERY."""
        return f"{self.source}.rest-hook-{self.id}"


async def entries(log: Log) -> list[Entry]:
    """Read every key of the bucket."""
    return [_entry(stored) for stored in await log.latest(STREAM, _PREFIX + ">")]


def _entry(stored: StoredMessage) -> Entry:
    source, _, id = stored.subject.removeprefix(_PREFIX).partition(".")
    resource = _read(stored.payload)
    return Entry(
        source=source,
        id=id,
        since=_made(resource, stored.recorded_at),
        is_deleted=not stored.payload,
        subscription=_chosen(source, id, resource) if resource and resource.status != "off" else None,
        standing=Standing(resource.status, resource.error) if resource else None,
    )


async def show(log: Log, told: Subscription, standing: Standing) -> None:
    """Show in a Subscription how it does, unless its owner changes it meanwhile or wants it no more."""
    stored = await log.next(STREAM, _PREFIX + told.key, 1)
    if stored is None or not stored.payload:
        return
    resource = msgspec.json.decode(stored.payload, type=dict[str, Any])
    if resource.get("status") == "off":
        return
    resource["status"] = standing.status
    resource.pop("error", None)
    if standing.error:
        resource["error"] = standing.error
    expected = {"Nats-Expected-Last-Subject-Sequence": str(stored.sequence)}
    with suppress(ConflictError):  # shown at the next look
        await log.publish(_PREFIX + told.key, msgspec.json.encode(resource), expected)


def _read(payload: bytes) -> _Resource | None:
    try:
        return msgspec.json.decode(payload, type=_Resource)
    except msgspec.DecodeError:
        return None


def _made(resource: _Resource | None, written: datetime) -> datetime:
    """Return since when its owner wants to be told: not later for our having shown something in it."""
    told = resource.meta.last_updated if resource else None
    return min(told, written) if told and told.tzinfo else written


def _chosen(source: str, id: str, resource: _Resource) -> Subscription:
    names = (header.partition(":") for header in resource.channel.header)
    return Subscription(
        source=source,
        id=id,
        criteria=resource.criteria,
        endpoint=resource.channel.endpoint,
        with_task=bool(resource.channel.payload) and resource.criteria.partition("?")[0] == "Task",
        headers=tuple((name.strip(), value.strip()) for name, _, value in names),
        end=resource.end,
    )
