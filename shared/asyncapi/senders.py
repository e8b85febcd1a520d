"""What a sender with credentials may do: publish its messages, and hear and read what became of them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct

from shared.asyncapi.parts import (
    EVENT_CONTENT,
    Json,
    channel_ref,
    enveloped,
    message_ref,
    name_of,
    plain_message,
    schema_ref,
    summary,
)
from shared.events import schemas
from shared.events.inbound import TYPE_PREFIX, InboundData, InboundMessage, Kind
from shared.events.outbound import STATUS_TYPE, OutboundEnvelope, ReferralStatus, StatusPage, StatusRequest
from shared.events.publication import PublishAck, PublishRefusal
from shared.events.received import CloudEvent

SAMPLES: Final[Path] = schemas.SAMPLES / "inbound"

_SECURITY: Final = [{"$ref": "#/components/securitySchemes/sender"}]
_SOURCE: Final[Json] = {
    "source": {"description": "The sender's token, as its profile names it: small letters, digits, hyphens."}
}
_REPLY_TO: Final[Json] = {"location": "$message.header#/reply", "description": "The NATS reply subject."}
_ANSWERS: Final = (PublishAck, PublishRefusal)
_MAY_BE_LEFT_OUT: Final = ("message", "source", "occurred", "original")
_STATUS: Final = "outbound-ReferralStatus"
_AS_EVENT: Final = (
    "A CloudEvent; its id is unique within the sender, and a message sent again keeps it. In data may be "
    "left out `message`, `source` and `original`, and `occurred` where the event has a `time`."
)


def channels() -> Json:
    """Return the channels of senders."""
    return {
        **{f"inbound-{kind}": _inbound_channel(kind) for kind in get_args(Kind)},
        "publish-answer": {
            "address": None,
            "description": "The sender's own inbox; a JetStream client takes it as its publish's answer.",
            "messages": {name_of(cls): message_ref(f"publish-{name_of(cls)}") for cls in _ANSWERS},
        },
        "outbound-status": {
            "address": "outbound.{source}.status",
            "description": "What became of the sender's referrals, as it comes; 90 days are kept to be read.",
            "parameters": _SOURCE,
            "messages": {"ReferralStatus": message_ref(_STATUS)},
        },
        "status-next": {
            "address": "status.{source}.next",
            "description": "Asked for the statuses behind a cursor, oldest first.",
            "parameters": _SOURCE,
            "messages": {"StatusRequest": message_ref("status-StatusRequest")},
        },
        "status-page": {
            "address": None,
            "description": "The sender's own inbox, named in the request.",
            "messages": {"StatusPage": message_ref("status-StatusPage")},
        },
    }


def operations() -> Json:
    """Return what Throughcare does with them."""
    return {
        **{
            f"receive-inbound-{kind}": {
                "action": "receive",
                "channel": channel_ref(f"inbound-{kind}"),
                "summary": "The gateway stores it, then acknowledges it; intake decides what it means.",
                "security": _SECURITY,
                "bindings": {"nats": {"queue": "gateway"}},
                "reply": {"address": _REPLY_TO, "channel": channel_ref("publish-answer")},
            }
            for kind in get_args(Kind)
        },
        "send-status": {
            "action": "send",
            "channel": channel_ref("outbound-status"),
            "summary": "A change of a referral is told to whoever sent it.",
            "security": _SECURITY,
        },
        "answer-status": {
            "action": "receive",
            "channel": channel_ref("status-next"),
            "summary": "The gateway answers with the next statuses.",
            "security": _SECURITY,
            "bindings": {"nats": {"queue": "gateway"}},
            "reply": {"address": _REPLY_TO, "channel": channel_ref("status-page")},
        },
    }


def messages() -> Json:
    """Return the messages, each that a sender may publish with an example."""
    return {
        **{key_of(cls): _inbound_message(cls) for cls in _inbound()},
        _STATUS: {
            "name": STATUS_TYPE,
            "title": "ReferralStatus",
            "summary": summary(ReferralStatus),
            "contentType": EVENT_CONTENT,
            "payload": schema_ref(name_of(OutboundEnvelope)),
        },
        "status-StatusRequest": {**plain_message(StatusRequest), "examples": [{"payload": {"after": 17}}]},
        "status-StatusPage": plain_message(StatusPage),
        **{f"publish-{name_of(cls)}": plain_message(cls) for cls in _ANSWERS},
    }


def security_schemes() -> Json:
    """Return how a sender says who it is."""
    return {
        "sender": {
            "type": "userPassword",
            "description": "NATS user and password, over TLS; the user is the sender's token.",
        }
    }


def types() -> tuple[type[Struct], ...]:
    """Return every struct that the messages are made of."""
    return (CloudEvent, *_inbound(), OutboundEnvelope, StatusRequest, StatusPage, *_ANSWERS)


def relaxed(components: dict[str, Any]) -> dict[str, Any]:
    """Say of the schemas what a sender may leave out; each message says what its event's data is."""
    for cls in _inbound():
        schema = components[name_of(cls)]
        schema["required"] = [name for name in schema["required"] if name not in _MAY_BE_LEFT_OUT]
    del components[name_of(CloudEvent)]["properties"]["data"]
    return components


def key_of(cls: type[InboundData]) -> str:
    """Return the key of an inbound message."""
    return f"inbound-{name_of(cls)}"


def _inbound_channel(kind: str) -> Json:
    return {
        "address": f"inbound.{{source}}.{kind}",
        "description": "Messages of other systems, kept for 90 days. " + _AS_EVENT,
        "parameters": _SOURCE,
        "messages": {name_of(cls): message_ref(key_of(cls)) for cls in _inbound() if cls.kind == kind},
    }


def _inbound_message(cls: type[InboundData]) -> Json:
    name = TYPE_PREFIX + name_of(cls)
    return {
        "name": name,
        "title": name_of(cls),
        "summary": summary(cls),
        "contentType": EVENT_CONTENT,
        "payload": enveloped(name_of(CloudEvent), {"type": {"const": name}}, cls),
        "examples": [{"name": "as-published", "payload": sample(cls)}],
    }


def sample(cls: type[InboundData]) -> Json:
    """Return the stored sample of a message, as a sender writes it."""
    content = (SAMPLES / f"{name_of(cls)}.json").read_bytes()
    return msgspec.json.decode(content, type=dict[str, Any])


def _inbound() -> Iterable[type[InboundData]]:
    return get_args(InboundMessage)
