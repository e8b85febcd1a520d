"""Who a peer of TLS is: the fingerprint of its certificate and the names that an authority vouched for.

Both are marks, with values as `openssl x509 -fingerprint -sha256 -ext subjectAltName` prints them and the
kind in front: ``SHA256:9F:86:…``, ``DNS:engine.lakeside.example``, ``IP:192.0.2.7``, ``URI:…``, ``email:…``.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import ip_address
from ssl import SSLObject
from typing import Final, cast

from msgspec import Struct

_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
_EXPECTED: Final = "SHA256:, DNS:, IP:, URI: or email: with a value is expected"


class Certificate(Struct, frozen=True):
    """What one peer showed in its handshake, already verified."""

    fingerprint: str  # SHA-256 of the certificate, 64 lower-case hexadecimal digits
    names: frozenset[str] = frozenset()  # marks of its subject alternative names

    def bears(self, marks: Iterable[str]) -> bool:
        """Tell whether one of these marks is its own."""
        return not ({*self.names, f"SHA256:{self.fingerprint}"}).isdisjoint(marks)


def shown_by(peer: SSLObject) -> Certificate | None:
    """Return the certificate of the other side; None where it showed none."""
    encoded = peer.getpeercert(binary_form=True)
    if not encoded:
        return None
    told = cast("Mapping[str, Iterable[tuple[str, str]]]", peer.getpeercert() or {})
    return Certificate(hashlib.sha256(encoded).hexdigest(), frozenset(_names(told.get("subjectAltName", ()))))


def mark(told: str) -> str:
    """Return a mark in the one form that is compared; raises ValueError where it is none."""
    kind, _, value = told.strip().partition(":")
    read = _KINDS.get(kind.strip().lower())
    if read is None or not value.strip():
        raise ValueError(f"{_EXPECTED}.")
    name, normal = read
    return f"{name}:{normal(value.strip())}"


def _names(told: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Leave out names of kinds that no mark can have."""
    for kind, value in told:
        if kind.lower() in _KINDS and value.strip():
            yield mark(f"{kind}:{value}")


def _hexadecimal(value: str) -> str:
    digits = value.replace(":", "").lower()
    if not _FINGERPRINT.fullmatch(digits):
        raise ValueError("SHA256: has 64 hexadecimal digits, with or without colons.")
    return digits


def _address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        raise ValueError("IP: has an IPv4 or IPv6 address.") from None


def _exact(value: str) -> str:
    return value


_KINDS: Final[Mapping[str, tuple[str, Callable[[str], str]]]] = {
    "sha256": ("SHA256", _hexadecimal),
    "dns": ("DNS", str.lower),
    "ip": ("IP", _address),
    "ip address": ("IP", _address),
    "uri": ("URI", _exact),
    "email": ("email", str.lower),
}
