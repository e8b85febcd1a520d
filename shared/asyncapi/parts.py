"""What every part of the document is written with."""

from typing import Any, Final

from msgspec import Struct

Json = dict[str, Any]

EVENT_CONTENT: Final = "application/cloudevents+json"
CONTENT: Final = "application/json"


def name_of(cls: type) -> str:
    """Return the name that a type has in the contract."""
    return cls.__name__


def summary(cls: type) -> str:
    """Return the first paragraph of a type's docstring."""
    return " ".join((cls.__doc__ or "").partition("\n\n")[0].split())


def channel_ref(name: str) -> Json:
    """Return a reference to a channel."""
    return {"$ref": f"#/channels/{name}"}


def message_ref(name: str) -> Json:
    """Return a reference to a message."""
    return {"$ref": f"#/components/messages/{name}"}


def schema_ref(name: str) -> Json:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def plain_message(cls: type[Struct]) -> Json:
    """Return a message that is a struct as JSON."""
    return {
        "name": name_of(cls),
        "title": name_of(cls),
        "summary": summary(cls),
        "contentType": CONTENT,
        "payload": schema_ref(name_of(cls)),
    }


def enveloped(envelope: str, said: Json, data: type[Struct]) -> Json:
    """Return the schema of a CloudEvent with this data."""
    properties = {**said, "data": schema_ref(name_of(data))}
    return {"allOf": [schema_ref(envelope), {"type": "object", "properties": properties}]}
