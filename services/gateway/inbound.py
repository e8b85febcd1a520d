"""An inbound message as INBOUND stores it: subject, id and CloudEvent."""

import hashlib
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from shared.events.inbound import InboundEnvelope, InboundMessage, Referral

_SOURCE = "/throughcare/gateway"
_TYPE = "throughcare.inbound."
_encoder = msgspec.json.Encoder()


class Delivery(NamedTuple):
    """What is published: only the same sender, control id and content make the same `id`."""

    subject: str
    id: UUID
    payload: bytes


def delivery(message: InboundMessage, raw: bytes, received: datetime) -> Delivery:
    """Wrap a translated message; `raw` is its content as it came, `received` an aware instant."""
    kind = "referral" if isinstance(message, Referral) else "adt"
    identity = identity_of(message.source, message.original.control_id, raw)
    envelope = InboundEnvelope(
        specversion="1.0",
        id=identity,
        source=_SOURCE,
        type=_TYPE + type(message).__name__,
        time=received.isoformat(),
        datacontenttype="application/json",
        data=message,
    )
    return Delivery(f"inbound.{message.source}.{kind}", identity, _encoder.encode(envelope))


def identity_of(source: str, control_id: str, raw: bytes) -> UUID:
    """Return the name-based UUID (version 5) of sender, control id and content."""
    digest = hashlib.sha1(usedforsecurity=False)
    for part in (source.encode(), control_id.encode(), raw):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return UUID(bytes=digest.digest()[:16], version=5)
