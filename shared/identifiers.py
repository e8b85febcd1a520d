"""The keyed hash that stands for an identifier wherever the identifier itself must not be seen."""

import hmac
from typing import Final
from uuid import UUID, uuid5

from shared.events.base import Identifier

_REFERRALS: Final = UUID("6f1f6a0c-1c59-5d0e-9d0b-2f4c4e6f8a51")
_CONSENTS: Final = UUID("b0a7d1de-54b5-5b39-8c3d-7d0a2b8f6e12")
_HEX_DIGITS = 32  # 128 bits: no collision to expect among a nation's identifiers


def identity_key(identifier: Identifier, secret: str) -> str:
    """Return the HMAC-SHA256 of assigner and value, cut to 128 bits, in hex.

    Case and surrounding spaces do not count: hospitals write the same number both ways.
    """
    assigner, value = folded(identifier)
    quoted = assigner.replace("\\", r"\\").replace("|", r"\|")  # it ends at the first bare |
    named = f"{quoted}|{value}"
    return hmac.digest(secret.encode(), named.encode(), "sha256").hex()[:_HEX_DIGITS]


def placer_key(placer: Identifier, secret: str) -> str:
    """Return the key of a placer's number: apart from the keys of people, whatever the numbers are."""
    return identity_key(Identifier(f"placer:{placer.assigner}", placer.value), secret)


def referral_id(placer: Identifier, secret: str) -> UUID:
    """Return the id of the referral with this placer's number (UUIDv5 of its key).

    Whoever stores a message can tell at once where its referral will be, also when another message with the
    same number was first: the same number is the same referral.
    """
    return uuid5(_REFERRALS, placer_key(placer, secret))


def consent_id(source: str, number: Identifier, secret: str) -> UUID:
    """Return the id of the consent that a source knows by this number: no other source can mean it."""
    return uuid5(
        _CONSENTS, identity_key(Identifier(f"consent:{source}:{number.assigner}", number.value), secret)
    )


def assessment_id(inbound: UUID) -> UUID:
    """Return the id of the assessment that an inbound message reports (UUIDv5)."""
    return uuid5(inbound, "assessment")


def folded(identifier: Identifier) -> tuple[str, str]:
    """Return assigner and value without what does not count."""
    return identifier.assigner.strip().casefold(), identifier.value.strip().casefold()
