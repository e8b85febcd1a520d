"""An inbound message as INBOUND stores it: subject, id and CloudEvent."""

import hashlib
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

import msgspec

from shared.events.inbound import TYPE_PREFIX, InboundEnvelope, InboundMessage
from shared.events.received import GATEWAY

_encoder = msgspec.json.Encoder()


class Delivery(NamedTuple):
    """What is published: only the same sender, control id and content make the same `id`."""

    subject: str
    id: UUID
    payload: bytes


def delivery(message: InboundMessage, raw: bytes, received: datetime, *, part: int = 0) -> Delivery:
    """Wrap a translated message; `raw` is its content as it came, `received` an aware instant.

    Where one content tells of several things (two patients, two instruments), each is a part with an id of
    its own that the content gives again when it is sent again.
    """
    identity = identity_of(message.source, message.original.control_id, raw)
    if part:
        identity = uuid5(identity, str(part))
    return stored_as(identity, message, received)


def stored_as(identity: UUID, message: InboundMessage, received: datetime) -> Delivery:
    """Wrap a message whose id is known."""
    envelope = InboundEnvelope(
        specversion="1.0",
        id=identity,
        source=GATEWAY,
        type=TYPE_PREFIX + type(message).__name__,
        time=received.isoformat(),
        datacontenttype="application/json",
        data=message,
    )
    return Delivery(f"inbound.{message.source}.{message.kind}", identity, _encoder.encode(envelope))


def identity_of(source: str, control_id: str, raw: bytes) -> UUID:
    """Return the name-based UUID (version 5) of sender, control id and content."""
    digest = hashlib.sha1(usedforsecurity=False)
    for part in (source.encode(), control_id.encode(), raw):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return UUID(bytes=digest.digest()[:16], version=5)
