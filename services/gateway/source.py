"""The token a sender is known by: it stands in subjects, so it is short and says nothing of a person."""

import hashlib
import re
from functools import lru_cache

from services.gateway.hl7v2.message import Message

_UNSAFE = re.compile(r"[^a-z0-9]+")
_LONGEST = 40
_TAIL = 8


def source_of(message: Message) -> str:
    """Return the token of MSH-3 and MSH-4: ``adtapp-ghhs``.

    Where the names have more than letters and digits, or one is missing, a hash of both is added: two senders
    never share a token.
    """
    names = [
        (message.text("MSH", field) or message.text("MSH", field, 2)).strip().casefold() for field in (3, 4)
    ]
    return token(*names)


@lru_cache(maxsize=1024)
def token(application: str, facility: str) -> str:
    """Return the token for an application and a facility, both already in lower case."""
    plain = _UNSAFE.sub("-", f"{application}-{facility}").strip("-")
    if all(re.fullmatch(r"[a-z0-9]+", name) for name in (application, facility)) and len(plain) <= _LONGEST:
        return plain
    tail = hashlib.sha256(f"{application}|{facility}".encode()).hexdigest()[:_TAIL]
    return f"{plain[:_LONGEST].strip('-') or 'unknown'}-{tail}"
