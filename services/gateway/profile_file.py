"""The file of profiles: YAML, in which every error has its line and what is expected there.

`deploy/profiles.example.yaml` shows and explains every key.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar
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
from services.gateway.mllp import certificate
from services.gateway.profile_lines import ProfilesError, at, entries, root, value_of
from services.gateway.profiles import Profile, Profiles

_ALL: Final = "all"
_KEY_IN_ERROR: Final = re.compile(r"at `\$\.([a-z_]+)")
_UNKNOWN_KEY: Final = re.compile(r"unknown field `(.+?)`")
_EXPECTED: Final = {
    "sender": "application and facility, as text (a number in quotes)",
    "source": "lower-case letters, digits and single hyphens, 49 at most",
    "messages": "all, or a list such as [ADT, REF^I12]",
    "production": "true or false",
    "fields": "places, such as PV1-19: PV1-50",
    "delivery": "none, or a list such as [{channel: mllp, host: ris.example, port: 2576}]",
    "certificates": "a list, such as [DNS:engine.example]",
    "tokens": "a list of hashes, as `throughcare token` prints them",
}
_TEXT: Final = "text (a number in quotes)"
_SOURCE: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"
_LONGEST_SOURCE: Final = 49
_TOKEN: Final = re.compile(r"SHA256:([0-9a-f]{64})", re.IGNORECASE)
_NO_SOURCE: Final = "the profile's source is needed, or both names of its sender."
_Text = Annotated[str, Meta(min_length=1, pattern=r"\S")]
T = TypeVar("T")


class _Sender(Struct, frozen=True, forbid_unknown_fields=True):
    application: _Text | None = None
    facility: _Text | None = None


class _Agreement(Struct, frozen=True, forbid_unknown_fields=True):
    """A profile as written."""

    sender: _Sender | None = None
    source: Annotated[str, Meta(pattern=_SOURCE, max_length=_LONGEST_SOURCE)] | None = None
    messages: list[_Text] | Literal["all"] = "all"
    production: bool = True
    assigner: _Text | None = None
    facility: _Text | None = None
    zone: _Text | None = None
    charset: _Text | None = None
    fields: dict[str, str | list[str]] = {}
    delivery: list[Way] | Literal["none"] | None = None
    certificates: Annotated[list[_Text], Meta(min_length=1)] | None = None
    tokens: Annotated[list[_Text], Meta(min_length=1)] | None = None


def is_source(told: str) -> bool:
    """Tell whether it can be the token of a source, as it stands in subjects."""
    return len(told) <= _LONGEST_SOURCE and re.fullmatch(_SOURCE, told) is not None


def load(path: Path, zone: ZoneInfo) -> Profiles:
    """Read the file; `zone` is of senders without one. Raises ProfilesError, which begins with the file."""
    try:
        return read(path.read_text(encoding="utf-8"), zone)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ProfilesError(f"{path}: The profiles cannot be read: {reason}.") from None
    except ProfilesError as error:
        raise ProfilesError(f"{path}: {error}") from None


def read(text: str, zone: ZoneInfo) -> Profiles:
    """Read the text of such a file; raises ProfilesError."""
    told = _Told()
    default: Profile | None = None
    for key, value in entries(root(text), "the file"):
        if key.value == "default":
            default = _default(value, zone)
        elif key.value == "profiles":
            for name, body in entries(value, "profiles"):
                told.add(_profile(name.value, body, zone), body)
        else:
            raise at(key, f"{key.value} is no key of the file: default and profiles are.")
    return Profiles(told.by_sender, default, tuple(told.others), told.holders)


class _Told:
    """The profiles read so far; no two have the same sender or the same token, or tell a source two ways."""

    def __init__(self) -> None:
        self.by_sender: dict[tuple[str, str], Profile] = {}
        self.others: list[Profile] = []  # without a sender of HL7 v2
        self.holders: dict[str, str] = {}  # SHA-256 of a token: its source
        self.receivers: dict[str, Profile] = {}  # by source: who said where RRI^I12 goes

    def add(self, profile: Profile, body: yaml.Node) -> None:
        """Take one more; raises ProfilesError."""
        if any(profile.sender):
            self._add_sender(profile, body)
        elif any(other.source == profile.source for other in self.others):
            raise at(body, f"{profile.name}: another profile without sender has the same source.")
        else:
            self.others.append(profile)
        self._add_receiver(profile, body)
        for each in profile.tokens:
            if self.holders.setdefault(each, profile.token or "") != profile.token:
                raise at(body, f"{profile.name}: tokens: another source has one of them, too.")

    def _add_receiver(self, profile: Profile, body: yaml.Node) -> None:
        """A source has one channel of MLLP, which whatever its profiles sent is told by."""
        if profile.mllp is None:
            return
        other = self.receivers.setdefault(profile.token or "", profile)
        if other.mllp != profile.mllp:
            raise at(
                body, f"{profile.name}: delivery: {other.name} has the same source and another receiver."
            )

    def _add_sender(self, profile: Profile, body: yaml.Node) -> None:
        if other := self.by_sender.get(profile.sender):
            raise at(body, f"{profile.name}: {other.name} names the same sender.")
        self.by_sender[profile.sender] = profile


def _default(value: yaml.Node, zone: ZoneInfo) -> Profile | None:
    """`default: refuse` or a profile without a sender."""
    if isinstance(value, yaml.ScalarNode):
        if value.value == "refuse":
            return None
        raise at(value, "default is either refuse or what holds for senders without a profile.")
    agreement = _agreement("default", value)
    if agreement.sender is not None:
        raise at(value, "default: sender has no place here, for it is everybody else.")
    if agreement.tokens is not None:
        raise at(value, "default: tokens have no place here, for they are of one source.")
    return _made("default", agreement, value, zone)


def _profile(name: str, body: yaml.Node, zone: ZoneInfo) -> Profile:
    agreement = _agreement(name, body)
    profile = _made(name, agreement, body, zone)
    if not any(profile.sender) and (agreement.sender or not profile.source):
        sentence = "sender needs an application (MSH-3), a facility (MSH-4) or both"
        raise at(body, f"{name}: {sentence}; who sends no HL7 v2 has a source and no sender.")
    return profile


def _agreement(name: str, body: yaml.Node) -> _Agreement:
    lines = {key.value: key for key, _ in entries(body, name)}
    try:
        return msgspec.convert(value_of(body, name), _Agreement)
    except msgspec.ValidationError as error:
        raise _not_right(name, lines, body, str(error)) from None


def _not_right(name: str, lines: Mapping[str, yaml.Node], body: yaml.Node, reason: str) -> ProfilesError:
    """Name the key of the profile in which the error is, and what is expected there."""
    if found := _KEY_IN_ERROR.search(reason):
        expected = _EXPECTED.get(found[1], _TEXT)
        sentence = f"{name}: {found[1]} is not right. It is {expected}: {reason}."
        return at(lines.get(found[1], body), sentence)
    unknown = _UNKNOWN_KEY.search(reason)
    key = unknown[1] if unknown else ""
    return at(lines.get(key, body), f"{name}: {key or 'it'} is not right: {reason}.")


def _made(name: str, agreement: _Agreement, body: yaml.Node, zone: ZoneInfo) -> Profile:
    """Check what the types cannot say; each error at the key's own line."""
    nodes = {key.value: value for key, value in entries(body, name)}

    def checked(field: str, reading: Callable[[], T]) -> T:
        try:
            return reading()
        except ValueError as error:
            raise at(nodes.get(field, body), f"{name}: {field}: {error}") from None

    sender = agreement.sender or _Sender()
    profile = Profile(
        name=name,
        source=agreement.source,
        application=sender.application or "",
        facility=sender.facility or "",
        messages=checked("messages", lambda: _messages(agreement)),
        production=agreement.production,
        conventions=Conventions(
            zone=checked("zone", lambda: _zone(agreement)) or zone,
            assigner=agreement.assigner,
            facility=agreement.facility,
            charset=checked("charset", lambda: _charset(agreement)),
            fields=_fields(name, nodes.get("fields")),
        ),
        certificates=checked("certificates", lambda: _certificates(agreement)),
        tokens=checked("tokens", lambda: _tokens(agreement)),
    )
    if profile.tokens and profile.token is None:
        raise at(nodes["tokens"], f"{name}: tokens: {_NO_SOURCE}")
    return checked("delivery", lambda: _with_delivery(profile, agreement))


def _with_delivery(profile: Profile, agreement: _Agreement) -> Profile:
    """Take over how the sender is told; raises ValueError. Absent, Subscriptions are allowed."""
    if agreement.delivery is None:
        return profile
    ways = [] if agreement.delivery == "none" else agreement.delivery
    if len({type(way) for way in ways}) < len(ways):
        raise ValueError("each channel stands once.")
    mllp = next((way for way in ways if isinstance(way, Mllp)), None)
    if mllp and profile.token is None:
        raise ValueError(f"mllp: {_NO_SOURCE}")
    if mllp and mllp.key and not mllp.certificate:
        raise ValueError("mllp: key is of a certificate, and none is named.")
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


def _zone(agreement: _Agreement) -> ZoneInfo | None:
    try:
        return ZoneInfo(agreement.zone) if agreement.zone else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("an IANA time zone is expected, such as America/Chicago.") from None


def _charset(agreement: _Agreement) -> str | None:
    if agreement.charset is not None and not charset.is_known(agreement.charset):
        raise ValueError("a character set of HL7 table 0211 is expected, such as 8859/1 or UNICODE UTF-8.")
    return agreement.charset


def _certificates(agreement: _Agreement) -> frozenset[str]:
    return frozenset(map(certificate.mark, agreement.certificates or ()))


def _tokens(agreement: _Agreement) -> frozenset[str]:
    """Read hashes; raises ValueError, which never quotes what stands there: it may be a token itself."""
    found = [_TOKEN.fullmatch(told.strip()) for told in agreement.tokens or ()]
    if not all(found):
        raise ValueError(
            "SHA256: and 64 hexadecimal digits are expected, as `throughcare token` prints them."
        )
    return frozenset(match[1].lower() for match in found if match)


def _fields(name: str, node: yaml.Node | None) -> dict[Location, tuple[Location, ...]]:
    if node is None:
        return {}
    found: dict[Location, tuple[Location, ...]] = {}
    for key, value in entries(node, f"{name}: fields"):
        field = _location(name, key)
        if field.component or field.segment == "MSH":
            raise at(key, f"{name}: fields: {key.value} is no whole field outside MSH, such as PV1-19.")
        places = value.value if isinstance(value, yaml.SequenceNode) else [value]
        if not places:
            raise at(value, f"{name}: fields: {key.value} needs at least one place.")
        found[field] = tuple(_location(name, place) for place in places)
    return found


def _location(name: str, node: yaml.Node) -> Location:
    try:
        return location(str(node.value))
    except ValueError as error:
        raise at(node, f"{name}: fields: {error}") from None
