"""Answers over HTTP: a resource's bytes in the media type that was asked for."""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from litestar import Response

from services.gateway.fhir.media import Media

_PRIVATE: Final = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization"}


def answer(
    body: bytes, media: Media, status: int = 200, headers: dict[str, str] | None = None
) -> Response[bytes]:
    """Return a resource as the answer; nobody but the caller keeps it."""
    return Response(
        body,
        status_code=status,
        media_type=f"{media}; charset=utf-8",
        headers={**_PRIVATE, **(headers or {})},
    )


def versioned(version: int | str, last_updated: datetime) -> dict[str, str]:
    """Return the headers that name a version."""
    when = format_datetime(last_updated.astimezone(UTC), usegmt=True)
    return {"ETag": etag(version), "Last-Modified": when}


def etag(version: int | str) -> str:
    """Return a version as FHIR writes it."""
    return f'W/"{version}"'


def is_known(if_none_match: str | None, version: int | str) -> bool:
    """Tell whether the caller has this version already."""
    told = [each.strip() for each in (if_none_match or "").split(",")]
    return "*" in told or etag(version) in told or f'"{version}"' in told
