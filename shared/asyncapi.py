"""The contract as an AsyncAPI 3.0 document, made from the registry: what flows where, and what may be asked.

Seen from Throughcare as a whole: it sends the events of its log, and receives inbound messages and commands.
"""

import json
from collections.abc import Iterable
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct

from shared.commands import aftercare, care_plan, consent, intake
from shared.commands.base import Command
from shared.commands.reply import Reply
from shared.events import schemas
from shared.events.base import EventData
from shared.events.envelope import Event
from shared.events.inbound import InboundEnvelope, InboundMessage
from shared.events.registry import REGISTRY, Category, Registry, schema_uri

Json = dict[str, Any]

VERSION: Final = "1.0.0"  # of the contract as a whole
_EVENT_CONTENT: Final = "application/cloudevents+json"
_CONTENT: Final = "application/json"
_SERVICE_OF: Final = {category.name: category.service for category in REGISTRY.categories}
_REPLY: Final = "command-reply"

_PARAMETERS: Final = {
    "partition": {"description": "Partition of the log, chosen by the participant: 0 and up."},
    "entity": {
        "description": "Opaque id of the entity: of the participant, the referral or the keyed identifier."
    },
    "source": {"description": "Token of the sender, as configured at the gateway."},
    "kind": {
        "description": "What sort of message it is.",
        "enum": ["adt", "referral", "appointment", "result", "consent"],
    },
}


def document(registry: Registry = REGISTRY) -> Json:
    """Return the document; the same contract gives the same document, key for key."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Throughcare",
            "version": VERSION,
            "description": "Events of a participant's care, messages of other systems, and commands.",
        },
        "defaultContentType": _CONTENT,
        "channels": _channels(registry),
        "operations": _operations(registry),
        "components": {"messages": _messages(registry), "schemas": _schemas(registry)},
    }


def commands() -> tuple[type[Command], ...]:
    """Return every command that services can be asked, in the order of their files."""
    return tuple(
        value
        for module in (intake, consent, care_plan, aftercare)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Command)
        if value.__module__ == module.__name__ and not value.__subclasses__()
    )


def _channels(registry: Registry) -> Json:
    return {
        **{f"care-{category.name}": _log_channel(category, registry) for category in registry.categories},
        "inbound": {
            "address": "inbound.{source}.{kind}",
            "description": "Accepted messages of other systems, in canonical form, kept for 90 days.",
            "parameters": _parameters("source", "kind"),
            "messages": {_name(cls): _message_ref(_event_key(_inbound_type(cls))) for cls in _inbound()},
        },
        **{_command_key(cls): _asked_on(cls) for cls in commands()},
        _REPLY: {
            "address": None,
            "description": "The asker's own inbox, named in the request.",
            "messages": {_name(cls): _message_ref(_answer_key(cls)) for cls in get_args(Reply)},
        },
    }


def _log_channel(category: Category, registry: Registry) -> Json:
    return {
        "address": f"care.{{partition}}.{category.name}.{{entity}}",
        "description": f"Events of one {category.name} entity in order, decided by {category.service}.",
        "parameters": _parameters("partition", "entity"),
        "messages": {_name(cls): _message_ref(_event_key(registry.type_of(cls))) for cls in category.types},
    }


def _asked_on(cls: type[Command]) -> Json:
    return {"address": _command_subject(cls), "messages": {_name(cls): _message_ref(_command_key(cls))}}


def _operations(registry: Registry) -> Json:
    return {
        **{
            f"append-{category.name}": {
                "action": "send",
                "channel": _channel_ref(f"care-{category.name}"),
                "summary": f"{category.service} appends what it decided.",
            }
            for category in registry.categories
        },
        "receive-inbound": {
            "action": "receive",
            "channel": _channel_ref("inbound"),
            "summary": "intake decides what a message means.",
        },
        **{f"answer-{_name(cls)}": _answering(cls) for cls in commands()},
    }


def _answering(cls: type[Command]) -> Json:
    return {
        "action": "receive",
        "channel": _channel_ref(_command_key(cls)),
        "summary": _summary(cls),
        "bindings": {"nats": {"queue": _SERVICE_OF[cls.category]}},
        "reply": {
            "address": {"location": "$message.header#/reply", "description": "The NATS reply subject."},
            "channel": _channel_ref(_REPLY),
        },
    }


def _messages(registry: Registry) -> Json:
    return {
        **{_event_key(name): _event_message(name, cls, registry) for name, cls in registry.types.items()},
        **{_event_key(_inbound_type(cls)): _inbound_message(cls) for cls in _inbound()},
        **{_command_key(cls): _plain_message(cls) for cls in commands()},
        **{_answer_key(cls): _plain_message(cls) for cls in get_args(Reply)},
    }


def _event_message(name: str, cls: type[EventData], registry: Registry) -> Json:
    said = {"type": {"const": name}, "dataschema": {"const": schema_uri(name, cls.version)}}
    return {
        "name": name,
        "title": _name(cls),
        "summary": _summary(cls),
        "contentType": _EVENT_CONTENT,
        "payload": _enveloped("Event", said, cls),
        **_examples(cls, registry),
    }


def _examples(cls: type[EventData], registry: Registry) -> Json:
    sample = schemas.SAMPLES / schemas.file_name(cls, registry)
    if not sample.exists():
        return {}
    return {"examples": [{"name": "stored", "payload": json.loads(sample.read_text(encoding="utf-8"))}]}


def _inbound_message(cls: type[Struct]) -> Json:
    name = _inbound_type(cls)
    return {
        "name": name,
        "title": _name(cls),
        "summary": _summary(cls),
        "contentType": _EVENT_CONTENT,
        "payload": _enveloped("InboundEnvelope", {"type": {"const": name}}, cls),
    }


def _plain_message(cls: type[Struct]) -> Json:
    return {
        "name": _name(cls),
        "title": _name(cls),
        "summary": _summary(cls),
        "contentType": _CONTENT,
        "payload": _schema_ref(_name(cls)),
    }


def _enveloped(envelope: str, said: Json, data: type[Struct]) -> Json:
    properties = {**said, "data": _schema_ref(_name(data))}
    return {"allOf": [_schema_ref(envelope), {"type": "object", "properties": properties}]}


def _schemas(registry: Registry) -> Json:
    types = (Event, InboundEnvelope, *registry.types.values(), *_inbound(), *commands(), *get_args(Reply))
    _, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    for envelope in ("Event", "InboundEnvelope"):
        del components[envelope]["properties"]["data"]  # each message says what its data is
    del components["EventData"]
    return {name: components[name] for name in sorted(components)}


def _inbound() -> Iterable[type[Struct]]:
    return get_args(InboundMessage)


def _inbound_type(cls: type[Struct]) -> str:
    return f"throughcare.inbound.{_name(cls)}"


def _event_key(name: str) -> str:
    """Return the key of a CloudEvents type's message: keys are letters, digits, hyphens and underscores."""
    return name.removeprefix("throughcare.").replace(".", "-")


def _command_subject(cls: type[Command]) -> str:
    return f"command.{_SERVICE_OF[cls.category]}.{_name(cls)}"


def _command_key(cls: type[Command]) -> str:
    return f"command-{_name(cls)}"


def _answer_key(cls: type[Struct]) -> str:
    return f"answer-{_name(cls)}"


def _name(cls: type) -> str:
    return cls.__name__


def _summary(cls: type) -> str:
    return " ".join((cls.__doc__ or "").partition("\n\n")[0].split())


def _parameters(*names: str) -> Json:
    return {name: _PARAMETERS[name] for name in names}


def _channel_ref(name: str) -> Json:
    return {"$ref": f"#/channels/{name}"}


def _message_ref(name: str) -> Json:
    return {"$ref": f"#/components/messages/{name}"}


def _schema_ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
