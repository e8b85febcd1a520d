"""Profiles: what is agreed with each sender of HL7 v2 messages, in one YAML file.

`deploy/profiles.example.yaml` shows and explains every key.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import yaml
from msgspec import Meta, Struct
from msgspec.structs import replace

from services.gateway.delivery.ways import Mllp, RestHook, Way
from services.gateway.hl7v2 import charset
from services.gateway.hl7v2.conventions import Conventions
from services.gateway.hl7v2.location import Location, location
from services.gateway.hl7v2.translate import accepts
from services.gateway.source import token
from shared.settings import SettingsError

_ALL: Final = "all"
_FIELD_IN_ERROR: Final = re.compile(r"`\$\.?([a-z_]*)|unknown field `([a-z_]+)`|required field `([a-z_]+)`")
_Text = Annotated[str, Meta(min_length=1)]


class ProfilesError(SettingsError):
    """The file is no set of profiles; the text names the line, the key and what is expected there."""


class _Sender(Struct, frozen=True, forbid_unknown_fields=True):
    application: _Text | None = None
    facility: _Text | None = None


class _Agreement(Struct, frozen=True, forbid_unknown_fields=True):
    """A profile as written."""

    sender: _Sender | None = None
    source: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=49)] | None = None
    messages: list[_Text] | Literal["all"] = "all"
    production: bool = True
    assigner: _Text | None = None
    facility: _Text | None = None
    zone: _Text | None = None
    charset: _Text | None = None
    fields: dict[str, str | list[str]] = {}
    delivery: list[Way] | Literal["none"] | None = None


class Profile(Struct, frozen=True, kw_only=True):
    """What is agreed with a sender: what it may send, and how its messages are read."""

    name: str
    conventions: Conventions
    source: str | None = None  # the token in subjects, where it is not made of MSH-3 and MSH-4
    messages: frozenset[tuple[str, str]] | None = None  # code and trigger ("" for any); None: all
    production: bool = False  # MSH-11 T and D are refused
    application: str = ""  # MSH-3 and MSH-4, empty for any
    facility: str = ""
    mllp: Mllp | None = None  # where its referrals' changes are told
    rest_hook: RestHook | None = RestHook()  # what its Subscriptions may; None: there are none

    @property
    def token(self) -> str | None:
        """The sender's token in subjects; None where it is not one sender only."""
        if self.source or not (self.application and self.facility):
            return self.source
        return token(self.application.strip().casefold(), self.facility.strip().casefold())

    def takes(self, code: str, trigger: str) -> bool:
        """Tell whether the sender may send this type of message."""
        return self.messages is None or not self.messages.isdisjoint({(code, trigger), (code, "")})


class _Key(NamedTuple):
    """MSH-3 and MSH-4 in lower case; empty means any."""

    application: str
    facility: str


class Profiles(Struct, frozen=True):
    """All profiles. `default` is for senders that none names; None means that they are refused."""

    named: Mapping[tuple[str, str], Profile]
    default: Profile | None

    def of(self, application: str, facility: str) -> Profile | None:
        """Return the profile of a sender (MSH-3, MSH-4): of both names before one of either."""
        application, facility = application.strip().casefold(), facility.strip().casefold()
        for key in ((application, facility), ("", facility), (application, "")):
            if found := self.named.get(key):
                return found
        return self.default

    def of_source(self, source: str) -> Profile | None:
        """Return the profile of a token in subjects; the default's is of whom no other names."""
        named = (profile for profile in self.named.values() if profile.token == source)
        return next(named, self.default)


def without_file(zone: ZoneInfo) -> Profiles:
    """Return what holds where no file is configured: anybody may send anything."""
    return Profiles({}, Profile(name="default", conventions=Conventions(zone=zone)))


def load(path: Path, zone: ZoneInfo) -> Profiles:
    """Read the file; `zone` is of senders without one. Raises ProfilesError."""
    try:
        return read(path.read_text(encoding="utf-8"), zone)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ProfilesError(f"The profiles cannot be read: {reason}.") from None


def read(text: str, zone: ZoneInfo) -> Profiles:
    """Read the text of such a file; raises ProfilesError."""
    named: dict[tuple[str, str], Profile] = {}
    default: Profile | None = None
    for key, value in _entries(_root(text), "the file"):
        if key.value == "default":
            default = _default(value, zone)
        elif key.value == "profiles":
            for name, body in _entries(value, "profiles"):
                _add(named, _profile(name.value, body, zone))
        else:
            raise _at(key, f"{key.value} is no key of the file: default and profiles are.")
    return Profiles(named, default)


class _Read(NamedTuple):
    key: _Key
    profile: Profile
    node: yaml.Node


def _default(value: yaml.Node, zone: ZoneInfo) -> Profile | None:
    """`default: refuse` or a profile without a sender."""
    if isinstance(value, yaml.ScalarNode):
        if value.value == "refuse":
            return None
        raise _at(value, "default is either refuse or what holds for senders without a profile.")
    agreement = _agreement("default", value)
    if agreement.sender is not None:
        raise _at(value, "default: sender has no place here, for it is everybody else.")
    return _made("default", agreement, value, zone)


def _profile(name: str, body: yaml.Node, zone: ZoneInfo) -> _Read:
    agreement = _agreement(name, body)
    sender = agreement.sender or _Sender()
    key = _Key((sender.application or "").strip().casefold(), (sender.facility or "").strip().casefold())
    if not any(key):
        raise _at(body, f"{name}: sender needs an application (MSH-3), a facility (MSH-4) or both.")
    return _Read(key, _made(name, agreement, body, zone), body)


def _add(named: dict[tuple[str, str], Profile], told: _Read) -> None:
    if other := named.get(told.key):
        raise _at(told.node, f"{told.profile.name}: {other.name} names the same sender.")
    named[told.key] = told.profile


def _agreement(name: str, body: yaml.Node) -> _Agreement:
    lines = {key.value: key for key, _ in _entries(body, name)}
    try:
        return msgspec.convert(yaml.safe_load(_text_of(body)), _Agreement)
    except msgspec.ValidationError as error:
        match = _FIELD_IN_ERROR.search(str(error))
        field = next(filter(None, match.groups()), "") if match else ""
        raise _at(lines.get(field, body), f"{name}: {field or 'it'} is not right: {error}.") from None


def _made(name: str, agreement: _Agreement, body: yaml.Node, zone: ZoneInfo) -> Profile:
    """Check what the types cannot say; each error at the key's own line."""
    nodes = {key.value: value for key, value in _entries(body, name)}

    def wrong(field: str, sentence: str) -> ProfilesError:
        return _at(nodes.get(field, body), f"{name}: {field}: {sentence}")

    if agreement.charset is not None and not charset.is_known(agreement.charset):
        raise wrong(
            "charset", "a character set of HL7 table 0211 is expected, such as 8859/1 or UNICODE UTF-8."
        )
    try:
        told = _messages(agreement)
    except ValueError as error:
        raise wrong("messages", str(error)) from None
    try:
        zone = ZoneInfo(agreement.zone) if agreement.zone else zone
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise wrong("zone", "an IANA time zone is expected, such as America/Chicago.") from None
    sender = agreement.sender or _Sender()
    profile = Profile(
        name=name,
        source=agreement.source,
        application=sender.application or "",
        facility=sender.facility or "",
        messages=told,
        production=agreement.production,
        conventions=Conventions(
            zone=zone,
            assigner=agreement.assigner,
            facility=agreement.facility,
            charset=agreement.charset,
            fields=_fields(name, nodes.get("fields")),
        ),
    )
    try:
        return _with_delivery(profile, agreement)
    except ValueError as error:
        raise wrong("delivery", str(error)) from None


def _with_delivery(profile: Profile, agreement: _Agreement) -> Profile:
    """Take over how the sender is told; raises ValueError. Absent, Subscriptions are allowed."""
    if agreement.delivery is None:
        return profile
    ways = [] if agreement.delivery == "none" else agreement.delivery
    if len({type(way) for way in ways}) < len(ways):
        raise ValueError("each channel stands once.")
    mllp = next((way for way in ways if isinstance(way, Mllp)), None)
    if mllp and profile.token is None:
        raise ValueError("mllp needs the profile's source, or both names of its sender.")
    rest_hook = next((way for way in ways if isinstance(way, RestHook)), None)
    return replace(profile, mllp=mllp, rest_hook=rest_hook)


def _messages(agreement: _Agreement) -> frozenset[tuple[str, str]] | None:
    """Read `ADT`, `REF^I12` …; raises ValueError for what no sender could send."""
    if agreement.messages == _ALL:
        return None
    found: set[tuple[str, str]] = set()
    for told in agreement.messages:
        code, _, trigger = told.partition("^")
        if not accepts(code, trigger):
            raise ValueError(f"{told} is no type of message that is taken; ADT or REF^I12 would be.")
        found.add((code, trigger))
    return frozenset(found)


def _fields(name: str, node: yaml.Node | None) -> dict[Location, tuple[Location, ...]]:
    if node is None:
        return {}
    found: dict[Location, tuple[Location, ...]] = {}
    for key, value in _entries(node, f"{name}: fields"):
        field = _location(name, key)
        if field.component or field.segment == "MSH":
            raise _at(key, f"{name}: fields: {key.value} is no whole field outside MSH, such as PV1-19.")
        places = value.value if isinstance(value, yaml.SequenceNode) else [value]
        if not places:
            raise _at(value, f"{name}: fields: {key.value} needs at least one place.")
        found[field] = tuple(_location(name, place) for place in places)
    return found


def _location(name: str, node: yaml.Node) -> Location:
    try:
        return location(str(node.value))
    except ValueError as error:
        raise _at(node, f"{name}: fields: {error}") from None


def _root(text: str) -> yaml.Node:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ProfilesError(f"Line {line}: this is no YAML: {error.problem}.") from None
    except yaml.YAMLError:
        raise ProfilesError("The profiles hold characters that YAML does not allow.") from None
    if root is None:
        raise ProfilesError("Line 1: the file of profiles is empty.")
    return root


def _entries(node: yaml.Node, what: str) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Give a mapping's keys with their values; raises ProfilesError for anything else and for a key twice."""
    if not isinstance(node, yaml.MappingNode):
        raise _at(node, f"{what}: keys with values are expected.")
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _at(key, f"{what}: a key is a word.")
        if key.value in seen:
            raise _at(key, f"{what}: {key.value} is there twice.")
        seen.add(key.value)
        yield key, value


def _at(node: yaml.Node, sentence: str) -> ProfilesError:
    return ProfilesError(f"Line {node.start_mark.line + 1}: {sentence}")


def _text_of(node: yaml.Node) -> str:
    return yaml.serialize(node)  # pyright: ignore[reportUnknownMemberType] -- its stub leaves nodes untyped
