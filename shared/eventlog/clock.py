"""The clock, as an argument."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present instant, aware."""


def utc_now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)
