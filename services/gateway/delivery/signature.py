"""How a receiver knows that a call came from here: HMAC-SHA256 of time, delivery and body.

    Throughcare-Delivery: 0192…            the status; told again it is the same
    Throughcare-Signature: t=1772550000,v1=5f2b…

`v1` is the hexadecimal HMAC of `<t>.<delivery>.<body>`, its key the subscription's secret as text.
"""

import hashlib
import hmac
from datetime import datetime
from typing import Final

DELIVERY: Final = "Throughcare-Delivery"
SIGNATURE: Final = "Throughcare-Signature"
TOLERANCE_SECONDS: Final = 300.0


def secret_of(subscription: str, key: str) -> str:
    """Return a subscription's secret, derived from the secret of the installation; nothing keeps it."""
    text = f"throughcare-subscription|{subscription}"
    return hmac.digest(key.encode(), text.encode(), "sha256").hex()


def signature(secret: str, delivery: str, body: bytes, at: datetime) -> str:
    """Return the value of the header for a body sent at an instant."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={_digest(secret, seconds, delivery, body)}"


def is_genuine(
    secret: str,
    delivery: str,
    body: bytes,
    told: str,
    now: datetime,
    tolerance: float = TOLERANCE_SECONDS,
) -> bool:
    """Tell whether a header is of this body, and not older or newer than the tolerance in seconds."""
    time, _, digest = told.removeprefix("t=").partition(",v1=")
    if not (time.isascii() and time.isdecimal()) or abs(now.timestamp() - int(time)) > tolerance:
        return False
    return hmac.compare_digest(_digest(secret, int(time), delivery, body).encode(), digest.encode())


def _digest(secret: str, seconds: int, delivery: str, body: bytes) -> str:
    signed = f"{seconds}.{delivery}.".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
