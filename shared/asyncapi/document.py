"""The document as a whole: the log's events, coordinators' commands, and what senders do.

Seen from Throughcare as a whole: it sends the events of its log, and receives inbound messages and commands.
"""

import json
from typing import Final, get_args

import msgspec
from msgspec import Struct

from shared.asyncapi import senders
from shared.asyncapi.parts import (
    CONTENT,
    EVENT_CONTENT,
    Json,
    channel_ref,
    enveloped,
    message_ref,
    name_of,
    plain_message,
    summary,
)
from shared.commands import aftercare, care_plan, consent, intake
from shared.commands.base import Command
from shared.commands.reply import Reply
from shared.events import schemas
from shared.events.base import EventData
from shared.events.envelope import Event
from shared.events.registry import REGISTRY, Category, Registry, schema_uri

VERSION: Final = "1.0.0"  # of the contract as a whole
_SERVICE_OF: Final = {category.name: category.service for category in REGISTRY.categories}
_REPLY: Final = "command-reply"

_PARAMETERS: Final = {
    "partition": {"description": "Partition of the log, chosen by the participant: 0 and up."},
    "entity": {
        "description": "Opaque id of the entity: of the participant, the referral or the keyed identifier."
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
        "defaultContentType": CONTENT,
        "channels": _channels(registry),
        "operations": _operations(registry),
        "components": {
            "securitySchemes": senders.security_schemes(),
            "messages": _messages(registry),
            "schemas": _schemas(registry),
        },
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
        **senders.channels(),
        **{_command_key(cls): _asked_on(cls) for cls in commands()},
        _REPLY: {
            "address": None,
            "description": "The asker's own inbox, named in the request.",
            "messages": {name_of(cls): message_ref(_answer_key(cls)) for cls in get_args(Reply)},
        },
    }


def _log_channel(category: Category, registry: Registry) -> Json:
    return {
        "address": f"care.{{partition}}.{category.name}.{{entity}}",
        "description": f"Events of one {category.name} entity in order, decided by {category.service}.",
        "parameters": _parameters("partition", "entity"),
        "messages": {name_of(cls): message_ref(_event_key(registry.type_of(cls))) for cls in category.types},
    }


def _asked_on(cls: type[Command]) -> Json:
    return {"address": _command_subject(cls), "messages": {name_of(cls): message_ref(_command_key(cls))}}


def _operations(registry: Registry) -> Json:
    return {
        **{
            f"append-{category.name}": {
                "action": "send",
                "channel": channel_ref(f"care-{category.name}"),
                "summary": f"{category.service} appends what it decided.",
            }
            for category in registry.categories
        },
        **senders.operations(),
        **{f"answer-{name_of(cls)}": _answering(cls) for cls in commands()},
    }


def _answering(cls: type[Command]) -> Json:
    return {
        "action": "receive",
        "channel": channel_ref(_command_key(cls)),
        "summary": summary(cls),
        "bindings": {"nats": {"queue": _SERVICE_OF[cls.category]}},
        "reply": {
            "address": {"location": "$message.header#/reply", "description": "The NATS reply subject."},
            "channel": channel_ref(_REPLY),
        },
    }


def _messages(registry: Registry) -> Json:
    return {
        **{_event_key(name): _event_message(name, cls, registry) for name, cls in registry.types.items()},
        **senders.messages(),
        **{_command_key(cls): plain_message(cls) for cls in commands()},
        **{_answer_key(cls): plain_message(cls) for cls in get_args(Reply)},
    }


def _event_message(name: str, cls: type[EventData], registry: Registry) -> Json:
    said = {"type": {"const": name}, "dataschema": {"const": schema_uri(name, cls.version)}}
    return {
        "name": name,
        "title": name_of(cls),
        "summary": summary(cls),
        "contentType": EVENT_CONTENT,
        "payload": enveloped("Event", said, cls),
        **_examples(cls, registry),
    }


def _examples(cls: type[EventData], registry: Registry) -> Json:
    sample = schemas.SAMPLES / schemas.file_name(cls, registry)
    if not sample.exists():
        return {}
    return {"examples": [{"name": "stored", "payload": json.loads(sample.read_text(encoding="utf-8"))}]}


def _schemas(registry: Registry) -> Json:
    types = (Event, *registry.types.values(), *senders.types(), *commands(), *get_args(Reply))
    _, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    del components["Event"]["properties"]["data"]  # each message says what its data is
    del components["EventData"]
    return dict(sorted(senders.relaxed(components).items()))


def _event_key(name: str) -> str:
    """Return the key of a CloudEvents type's message: keys are letters, digits, hyphens and underscores."""
    return name.removeprefix("throughcare.").replace(".", "-")


def _command_subject(cls: type[Command]) -> str:
    return f"command.{_SERVICE_OF[cls.category]}.{name_of(cls)}"


def _command_key(cls: type[Command]) -> str:
    return f"command-{name_of(cls)}"


def _answer_key(cls: type[Struct]) -> str:
    return f"answer-{name_of(cls)}"


def _parameters(*names: str) -> Json:
    return {name: _PARAMETERS[name] for name in names}
