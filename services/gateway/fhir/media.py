"""Content negotiation: JSON in, JSON out, in UTF-8. XML and RDF are not spoken."""

from collections.abc import Mapping
from email.message import Message
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from services.gateway.fhir.outcome import refused

FHIR_JSON: Final = "application/fhir+json"
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
Media = Literal["application/fhir+json", "application/json"]

_OFFERED: Final[Mapping[str, Media]] = {
    FHIR_JSON: FHIR_JSON,
    "application/json+fhir": FHIR_JSON,  # DSTU2's name, still sent
    JSON: JSON,
    "text/json": JSON,
    "json": FHIR_JSON,
    "application/*": FHIR_JSON,
    "*/*": FHIR_JSON,
}
_VERSIONS: Final = frozenset({"", "4.0"})
_HEADERS_KNOWN: Final = 256  # senders say the same with every request, and reading it takes its time
_CHARSETS: Final = frozenset({"", "utf-8", "utf8", "us-ascii"})


class _Range(NamedTuple):
    media: str
    quality: float
    version: str


@lru_cache(maxsize=_HEADERS_KNOWN)
def answers_in(accept: str, told_format: str | None = None) -> Media:
    """Return the media type of the answer: `_format` wins over Accept. Raises FhirError 406."""
    if told_format is not None:
        # A "+" that was not escaped arrives as a space.
        wanted = [_range(told_format.replace("fhir json", "fhir+json"))]
    else:
        ranges = [_range(each) for each in accept.split(",") if each.strip()]
        wanted = sorted(ranges, key=lambda each: -each.quality)
    if not wanted:
        return FHIR_JSON
    for each in wanted:
        media = _OFFERED.get(each.media)
        if media and each.quality > 0 and each.version in _VERSIONS:
            return media
    where = "http.Accept" if told_format is None else "http._format"
    raise refused(
        406, "not-supported", f"Answers are given as {FHIR_JSON} or {JSON}, of FHIR version 4.0.", where
    )


def expect_json(content_type: str) -> None:
    """Expect a request's body to be FHIR JSON; raises FhirError 415."""
    _expect(content_type, frozenset({FHIR_JSON, JSON, "application/json+fhir", "text/json"}), FHIR_JSON)


def expect_form(content_type: str) -> None:
    """Expect a form, as a search by POST sends it; raises FhirError 415."""
    _expect(content_type, frozenset({FORM}), FORM)


@lru_cache(maxsize=_HEADERS_KNOWN)
def _expect(content_type: str, known: frozenset[str], expected: str) -> None:
    told = _parse(content_type)
    if told.get_content_type() not in known or not content_type:
        raise refused(415, "not-supported", f"The body has to be {expected}.", "http.Content-Type")
    if _parameter(told, "charset").lower() not in _CHARSETS:
        raise refused(415, "not-supported", "The body has to be in UTF-8.", "http.Content-Type")
    if _parameter(told, "fhirVersion") not in _VERSIONS:
        raise refused(415, "not-supported", "The body has to be of FHIR version 4.0.", "http.Content-Type")


def _range(text: str) -> _Range:
    told = _parse(text)
    name = text.split(";", 1)[0].strip().lower()  # get_content_type makes text/plain of what has no slash
    try:
        quality = float(_parameter(told, "q") or "1")
    except ValueError:
        quality = 0.0
    return _Range(name, quality, _parameter(told, "fhirVersion"))


def _parse(text: str) -> Message:
    message = Message()
    message["content-type"] = text
    return message


def _parameter(message: Message, name: str) -> str:
    value = message.get_param(name, "")
    return value if isinstance(value, str) else ""
