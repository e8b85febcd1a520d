"""The keyed hash that stands for an identifier wherever the identifier itself must not be seen."""

import hmac
from hashlib import sha256

from shared.events.base import Identifier

_HEX_DIGITS = 32  # 128 bits: no collision to expect among a nation's identifiers


def identity_key(identifier: Identifier, secret: str) -> str:
    """Return the HMAC-SHA256 of assigner and value, cut to 128 bits, in hex.

    Case and surrounding spaces do not count: hospitals write the same number both ways.
    """
    assigner = (
        _folded(identifier.assigner).replace("\\", r"\\").replace("|", r"\|")
    )  # it ends at the first bare |
    named = f"{assigner}|{_folded(identifier.value)}"
    return hmac.new(secret.encode(), named.encode(), sha256).hexdigest()[:_HEX_DIGITS]


def _folded(text: str) -> str:
    return text.strip().casefold()
