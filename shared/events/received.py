"""Reads the bytes of messages: what a sender wrote itself, and what the gateway stored of it in INBOUND."""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal, cast, get_args
from uuid import UUID, uuid5

import msgspec
from msgspec import Meta, Struct

from shared.events.inbound import TYPE_PREFIX, InboundEnvelope, InboundMessage
from shared.events.moment import MOMENT
from shared.events.registry import UndecodableEventError

GATEWAY: Final = "/throughcare/gateway"
"""The CloudEvents source of what INBOUND holds: the gateway writes all of it."""

_IDS: Final = UUID("2b0e6b0f-6f0c-5a40-9c69-0a6b1a0f6f3e")
_CLASSES: Final[dict[str, type[InboundMessage]]] = {
    TYPE_PREFIX + cls.__name__: cls for cls in get_args(InboundMessage)
}
_VALUE: Final = re.compile(r""" ['"].*?(?= - at `[^`]*`$|$)""", re.DOTALL)  # as msgspec quotes what it met
_TOO_DEEP: Final = "The message is nested too deep."
_TOO_FINE: Final = re.compile(r"(\.\d{6})\d+")
_Text = Annotated[str, Meta(min_length=1, max_length=256)]
_Data = dict[str, Any]


class UnreadableMessageError(UndecodableEventError):
    """The bytes are no message of the contract; the text names the field, not what stands there."""


class CloudEvent(Struct, frozen=True):
    """What a sender publishes: CloudEvents 1.0 in structured JSON; other attributes may be there."""

    specversion: Literal["1.0"]
    id: _Text
    source: _Text
    type: _Text
    data: _Data
    time: str | None = None
    datacontenttype: str = "application/json"


_DECODER: Final = msgspec.json.Decoder(CloudEvent)
_WHOLE: Final = msgspec.json.Decoder(InboundEnvelope)


class Published(Struct, frozen=True):
    """A sender's own event: its message, and the id that only this sender's id makes.

    Two senders may use the same id, and one that says it again says the same message again.
    """

    id: UUID
    message: InboundMessage


def received(payload: bytes) -> InboundEnvelope:
    """Read a message of INBOUND, which the gateway wrote; raises UnreadableMessageError."""
    try:
        return _WHOLE.decode(payload)
    except RecursionError:
        raise UnreadableMessageError(_TOO_DEEP) from None
    except msgspec.DecodeError as error:
        raise UnreadableMessageError(_sentence(error, "")) from None


def published(source: str, payload: bytes) -> Published:
    """Read what a sender wrote itself, on whatever way it came; raises UnreadableMessageError.

    What the envelope says need not be said again in `data`: `message`, `source` and `occurred` are filled
    in. `original` is always the event itself. That the source which the data names is this sender is for the
    caller to check.
    """
    try:
        told = _DECODER.decode(payload)
        return Published(uuid5(_IDS, f"{source} {told.id}"), _message(told, source, payload))
    except RecursionError:
        raise UnreadableMessageError(_TOO_DEEP) from None
    except msgspec.DecodeError as error:
        raise UnreadableMessageError(_sentence(error, "")) from None


def _message(told: CloudEvent, source: str, payload: bytes) -> InboundMessage:
    cls = _class_of(told)
    _check_texts({**told.data, "id": told.id, "original": None}, "data")
    try:
        return msgspec.convert(_filled(told, source, payload), cls)
    except msgspec.ValidationError as error:
        raise UnreadableMessageError(_sentence(error, "data.")) from None


def _class_of(told: CloudEvent) -> type[InboundMessage]:
    if told.datacontenttype.partition(";")[0].strip().lower() != "application/json":
        raise UnreadableMessageError("datacontenttype has to be application/json.")
    cls = _CLASSES.get(told.type)
    if cls is None:
        raise UnreadableMessageError(f"type is none of {', '.join(_CLASSES)}.")
    return cls


def _filled(told: CloudEvent, source: str, payload: bytes) -> _Data:
    """Return the data with what need not be said twice, and the event as it came."""
    sent = _moment(told.time)
    data = {"source": source, **told.data}
    if sent is not None:
        data.setdefault("occurred", sent)
    data["original"] = {
        "format": "cloudevents",
        "text": payload.decode(),
        "control_id": told.id,
        "trigger": told.type,
        "sent_at": sent,
    }
    return data


def _moment(time: str | None) -> str | None:
    """Return an RFC 3339 time as a moment: nanoseconds are cut to microseconds."""
    if time is None:
        return None
    sent = _TOO_FINE.sub(r"\1", time.strip().upper())
    if not MOMENT.fullmatch(sent) or not _is_real(sent):
        raise UnreadableMessageError("time is no RFC 3339 time.")
    return sent


def _check_texts(value: object, path: str) -> None:
    """Refuse what no read model can hold: NUL in a text, and days that no calendar has."""
    match value:
        case dict():
            for key, each in cast("_Data", value).items():
                _check_texts(key, path)
                _check_texts(each, f"{path}.{key}")
        case list():
            for each in cast("list[object]", value):
                _check_texts(each, path)
        case str() if "\0" in value:
            raise UnreadableMessageError(f"{_named(path)} holds the character NUL.")
        case str() if MOMENT.fullmatch(value) and not _is_real(value):
            raise UnreadableMessageError(f"{_named(path)} is no day or time of the calendar.")
        case _:
            pass


def _is_real(moment: str) -> bool:
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        return False
    return True


def _named(path: str) -> str:
    """Return a path of fields, or only its beginning: a key that a sender made up may say anything."""
    known = re.match(r"[a-z_.]{1,80}", path)
    return known.group() if known else "data"


def _sentence(error: msgspec.DecodeError, within: str) -> str:
    """Say what is wrong and where, without the value that is."""
    return f"{_VALUE.sub('', str(error)).replace('`$.', f'`{within}')}."
