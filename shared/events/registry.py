"""Which event types exist, and the one function that decodes them on every path.

A message names its type and version in `dataschema`. The current version decodes straight into its
struct; an older one is lifted a version at a time by its upcasters first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast, get_args
from uuid import UUID, uuid5

import msgspec
from msgspec import Raw, Struct

from shared.events.aftercare import AftercareEvent
from shared.events.assessment import AssessmentEvent
from shared.events.base import EventData
from shared.events.consent import ConsentEvent
from shared.events.encounter import EncounterEvent
from shared.events.enrolment import EnrolmentEvent
from shared.events.envelope import Event
from shared.events.episode import EpisodeEvent
from shared.events.identity import IdentityEvent
from shared.events.participant import ParticipantEvent
from shared.events.plan import PlanEvent
from shared.events.referral import ReferralEvent
from shared.events.session import SessionEvent

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes the data of one version, gives the data of the next; both as plain JSON values."""


class UndecodableEventError(Exception):
    """The bytes are not an event of a type and version that this build knows."""


@dataclass(frozen=True)
class Category:
    """The entity kind that stands in a subject, who decides it, and the events it may hold."""

    name: str
    service: str
    types: tuple[type[EventData], ...]


def _types(*unions: object) -> tuple[type[EventData], ...]:
    members = (member for union in unions for member in (get_args(union) or (union,)))
    return tuple(cast("type[EventData]", member) for member in members)


CATEGORIES: Final = (
    Category("identity", "intake", _types(IdentityEvent)),
    Category(
        "participant", "intake", _types(ParticipantEvent, EncounterEvent, AssessmentEvent, EnrolmentEvent)
    ),
    Category("referral", "intake", _types(ReferralEvent)),
    Category("consent", "intake", _types(ConsentEvent)),
    Category("episode", "care_plan", _types(EpisodeEvent, SessionEvent, PlanEvent)),
    Category("aftercare", "aftercare", _types(AftercareEvent)),
)

UPCASTERS: Final[Mapping[tuple[str, int], Upcaster]] = {}
"""(type, version) -> the step to the next version."""


class _Wire(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The envelope with its data not looked at yet."""

    data: Raw  # pyright: ignore[reportIncompatibleVariableOverride] -- decoded by the type it names


class _Schema(Struct, frozen=True):
    """What `dataschema` says."""

    type: str
    version: int


@dataclass(frozen=True)
class Registry:
    """The event types of some categories, and how their older versions are lifted."""

    categories: tuple[Category, ...] = CATEGORIES
    upcasters: Mapping[tuple[str, int], Upcaster] = field(default_factory=lambda: UPCASTERS)

    def __post_init__(self) -> None:
        """Index by type name, by class and by schema; names must be unique."""
        by_class = {
            cls: (f"throughcare.{category.service}.{cls.__name__}", category)
            for category in self.categories
            for cls in category.types
        }
        by_name = {name: cls for cls, (name, _) in by_class.items()}
        if len(by_name) != len(by_class):
            raise ValueError("Two event types share a name.")
        decoders = {schema_uri(name, cls.version): msgspec.json.Decoder(cls) for name, cls in by_name.items()}
        object.__setattr__(self, "_by_class", by_class)
        object.__setattr__(self, "_by_name", by_name)
        object.__setattr__(self, "_decoders", decoders)

    _by_class: Mapping[type[EventData], tuple[str, Category]] = field(init=False, repr=False)
    _by_name: Mapping[str, type[EventData]] = field(init=False, repr=False)
    _decoders: Mapping[str, msgspec.json.Decoder[EventData]] = field(init=False, repr=False)

    def type_of(self, data: EventData | type[EventData]) -> str:
        """Return the CloudEvents type, ``throughcare.intake.ReferralReceived``."""
        cls = data if isinstance(data, type) else type(data)
        return self._by_class[cls][0]

    def category_of(self, data: EventData | type[EventData]) -> Category:
        """Return the category whose entities hold this event."""
        cls = data if isinstance(data, type) else type(data)
        return self._by_class[cls][1]

    def class_of(self, type_name: str) -> type[EventData]:
        """Return the struct of a CloudEvents type; KeyError where there is none."""
        return self._by_name[type_name]

    @property
    def types(self) -> Mapping[str, type[EventData]]:
        """Every CloudEvents type with its struct."""
        return self._by_name

    def decode(self, raw: bytes) -> Event:
        """Decode one message into its event, lifted to the current version of its data.

        Raises UndecodableEventError, whose text never holds the data.
        """
        try:
            wire = _WIRE.decode(raw)
            decoder = self._decoders.get(wire.dataschema)
            data = decoder.decode(wire.data) if decoder else self._upcast(wire)
        except msgspec.DecodeError as error:
            raise UndecodableEventError(f"The event cannot be read: {error}") from None
        return _with_data(wire, data)

    def _upcast(self, wire: _Wire) -> EventData:
        cls = self._by_name.get(wire.type)
        if cls is None:
            raise UndecodableEventError(f"No event type is named {wire.type}.")
        schema = _parse_schema(wire.dataschema)
        if schema.type != wire.type or not 0 < schema.version <= cls.version:
            raise UndecodableEventError(f"{wire.type} has no version {wire.dataschema}.")
        data: dict[str, Any] = msgspec.json.decode(wire.data, type=dict[str, Any])
        for version in range(schema.version, cls.version):
            data = self.upcasters[(wire.type, version)](data)
        return msgspec.convert(data, cls)


_WIRE: Final = msgspec.json.Decoder(_Wire)


def _with_data(wire: _Wire, data: EventData) -> Event:
    return Event(
        specversion=wire.specversion,
        id=wire.id,
        source=wire.source,
        type=wire.type,
        subject=wire.subject,
        time=wire.time,
        dataschema=wire.dataschema,
        datacontenttype=wire.datacontenttype,
        actor=wire.actor,
        purpose=wire.purpose,
        correlationid=wire.correlationid,
        sensitivity=wire.sensitivity,
        data=data,
        causationid=wire.causationid,
        traceparent=wire.traceparent,
        timeprecision=wire.timeprecision,
    )


def schema_uri(type_name: str, version: int) -> str:
    """Return the `dataschema` of a type's version."""
    return f"urn:throughcare:{type_name}:{version}"


def _parse_schema(uri: str) -> _Schema:
    prefix, _, version = uri.rpartition(":")
    if not prefix.startswith("urn:throughcare:") or not version.isdecimal():
        raise UndecodableEventError("The event's dataschema names no version.")
    return _Schema(prefix.removeprefix("urn:throughcare:"), int(version))


REGISTRY: Final = Registry()
_ENCODER: Final = msgspec.json.Encoder()


def encode(event: Event) -> bytes:
    """Encode an event as one structured-mode CloudEvent."""
    return _ENCODER.encode(event)


def source_of(category: Category) -> str:
    """Return the CloudEvents source of the service that decides a category."""
    return f"/throughcare/{category.service}"


def event_id(command: UUID, index: int) -> UUID:
    """Return the id of a decision's n-th event: the same command yields the same ids (UUIDv5)."""
    return uuid5(command, str(index))
