"""Who asks: each source has bearer tokens of its own, and sees what is about its own people only."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from msgspec import Struct

from services.gateway.fhir.outcome import FhirError, Issue
from services.gateway.profiles import Profiles

_SCHEME: Final = "bearer "
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="throughcare"'}


class Caller(Struct, frozen=True):
    """A source that asks: its token in subjects, and the assigners whose identifiers are its own."""

    source: str
    assigners: frozenset[str] = frozenset()


class Authority(Protocol):
    """Knows whose a bearer token is."""

    def caller(self, token: str) -> Caller | None:
        """Return the source that holds the token; None where nobody does."""
        ...


class ToldTokens:
    """Tokens told in the settings: ``source=token``, several separated by spaces."""

    def __init__(self, told: str | None) -> None:
        """Raises ValueError where the text is not of that form."""
        self._callers: Mapping[bytes, Caller] = dict(map(_pair, (told or "").split()))

    def caller(self, token: str) -> Caller | None:
        """Return whose the token is. It is looked up by its hash: the time taken tells nothing of it."""
        return self._callers.get(_digest(token))


class AgreedTokens:
    """Tokens of the profiles, where only their hashes stand: what is agreed now, for it may change."""

    def __init__(self, profiles: Callable[[], Profiles]) -> None:
        self._profiles = profiles

    def caller(self, token: str) -> Caller | None:
        """Return whose the token is. It is looked up by its hash: the time taken tells nothing of it."""
        source = self._profiles().holders.get(hash_of(token))
        return Caller(source) if source else None


class WithAgreements:
    """An authority whose callers also have what is agreed with their source: its assigners."""

    def __init__(self, authority: Authority, assigners: Callable[[str], frozenset[str]]) -> None:
        """Take how to find the assigners of a source now: what is agreed may change."""
        self._authority = authority
        self._assigners = assigners

    def caller(self, token: str) -> Caller | None:
        """Return whose the token is."""
        found = self._authority.caller(token)
        if found is None:
            return None
        assigners = found.assigners | self._assigners(found.source)
        return Caller(found.source, assigners)


class Authorities:
    """Several authorities, asked in turn."""

    def __init__(self, *authorities: Authority) -> None:
        self._authorities = authorities

    def caller(self, token: str) -> Caller | None:
        """Return the source that the first of them knows."""
        return next((found for each in self._authorities if (found := each.caller(token))), None)


def authenticated(authorization: str | None, authority: Authority) -> Caller:
    """Return who asks; raises FhirError 401."""
    if not authorization or not authorization.lower().startswith(_SCHEME):
        raise _unauthorised("A bearer token is expected in the Authorization header.")
    caller = authority.caller(authorization[len(_SCHEME) :].strip())
    if caller is None:
        raise _unauthorised("The bearer token is not known.")
    return caller


def hash_of(token: str) -> str:
    """Return what stands for a token in a profile: SHA-256, lower-case hexadecimal.

    No salt and no stretching: a token is 32 random bytes, which nobody finds by trying.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def _unauthorised(sentence: str) -> FhirError:
    return FhirError(401, [Issue("error", "login", sentence, ("http.Authorization",))], _CHALLENGE)


def _pair(told: str) -> tuple[bytes, Caller]:
    source, equals, token = told.partition("=")
    if not (source and equals and token):
        raise ValueError("FHIR tokens are told as source=token, separated by spaces.")
    return _digest(token), Caller(source)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
