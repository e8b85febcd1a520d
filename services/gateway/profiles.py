"""Profiles: what is agreed with each sender."""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from msgspec import Struct

from services.gateway.delivery.ways import Mllp, RestHook
from services.gateway.hl7v2.conventions import Conventions
from services.gateway.source import token


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
    certificates: frozenset[str] = frozenset()  # marks, of which its connections show one; empty: none asked
    tokens: frozenset[str] = frozenset()  # SHA-256 of its FHIR tokens, lower-case hexadecimal

    @property
    def sender(self) -> tuple[str, str]:
        """MSH-3 and MSH-4 in lower case; empty means any, and both empty that it sends no HL7 v2."""
        return _normal(self.application), _normal(self.facility)

    @property
    def token(self) -> str | None:
        """The sender's token in subjects; None where it is not one sender only."""
        if self.source or not (self.application and self.facility):
            return self.source
        return token(*self.sender)

    def takes(self, code: str, trigger: str) -> bool:
        """Tell whether the sender may send this type of message."""
        return self.messages is None or not self.messages.isdisjoint({(code, trigger), (code, "")})


class Profiles(Struct, frozen=True):
    """All profiles. `default` is for senders that none names; None means that they are refused."""

    named: Mapping[tuple[str, str], Profile]  # by sender
    default: Profile | None
    others: Sequence[Profile] = ()  # of sources that send no HL7 v2
    holders: Mapping[str, str] = {}  # by the SHA-256 of a FHIR token, its source

    @property
    def each(self) -> Iterator[Profile]:
        """Every profile but the default."""
        yield from self.named.values()
        yield from self.others

    def of(self, application: str, facility: str) -> Profile | None:
        """Return the profile of a sender (MSH-3, MSH-4): of both names before one of either."""
        application, facility = _normal(application), _normal(facility)
        for key in ((application, facility), ("", facility), (application, "")):
            if found := self.named.get(key):
                return found
        return self.default

    def of_source(self, source: str) -> Profile | None:
        """Return the profile of a token in subjects; the default's is of whom no other names."""
        return next((profile for profile in self.each if profile.token == source), self.default)

    def is_named(self, source: str) -> bool:
        """Tell whether a profile says that this token in subjects is its own."""
        return any(profile.source == source for profile in self.each)

    def lets(self, source: str, code: str, trigger: str) -> bool:
        """Tell whether a source may send what is this type in HL7 v2; who has no profile may."""
        agreed = [profile for profile in self.each if profile.token == source]
        return not agreed or any(profile.takes(code, trigger) for profile in agreed)


def rest_hook_of(profiles: Profiles, source: str) -> RestHook | None:
    """Return what a source's Subscriptions may, the usual where it has no profile; None: there are none."""
    profile = profiles.of_source(source)
    return RestHook() if profile is None else profile.rest_hook


def _normal(name: str) -> str:
    return name.strip().casefold()


def without_file(zone: ZoneInfo) -> Profiles:
    """Return what holds where no file is configured: anybody may send anything."""
    return Profiles({}, Profile(name="default", conventions=Conventions(zone=zone)))
