"""$process-message: what a message Bundle says, and the message that answers it (R4, messaging)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import msgspec
from litestar import Response

from services.gateway.fhir.answers import answer
from services.gateway.fhir.auth import Caller
from services.gateway.fhir.door import Door
from services.gateway.fhir.outcome import FhirError, Issue, outcome, refused, warning
from services.gateway.fhir.write.alert import EVENTS, alert
from services.gateway.fhir.write.answering import Asked, Place, bundle
from services.gateway.fhir.write.contents import Told, contents
from services.gateway.fhir.write.ours import ours
from services.gateway.fhir.write.reading import decode
from services.gateway.fhir.write.resources import Bundle, MessageHeader
from services.gateway.fhir.write.scope import Entry, Scope, entries_of, is_absent
from services.gateway.fhir.write.storing import Stored, store
from services.gateway.fhir.write.submission import Submission
from services.gateway.fhir.write.times import moment
from shared.eventlog.errors import LogUnavailableError
from shared.events.inbound import Amendment, Cancellation, Information, Referral

_ALERT: Final = "notification-"
_TABLE_OF_EVENTS: Final = "v2-0003"
_NOT_STORED: Final = Issue("error", "transient", "It could not be stored now; please send it again later.")
_ABOUT_REFERRAL: Final = (Referral, Amendment, Cancellation, Information)


async def process(asked: Asked, raw: bytes, told: Bundle) -> Response[bytes]:
    """Store what a message says and answer with a message; raises FhirError where there is none to answer."""
    entries, header = _header(told)
    try:
        submission, found = await _read(asked.door, asked.caller, raw, told, entries)
        stored = await store(asked.door, submission, found)
    except FhirError as error:
        code = "transient-error" if error.status == 503 else "fatal-error"  # noqa: PLR2004 -- later it may do
        return _answer(asked, header, code, error.issues, status=error.status, headers=error.headers)
    except LogUnavailableError:
        headers = {"Retry-After": "5"}
        return _answer(asked, header, "transient-error", [_NOT_STORED], status=503, headers=headers)
    issues = [warning(each) for each in submission.warnings]
    return _answer(asked, header, "ok", issues, stored=stored)


async def read_message(door: Door, caller: Caller, raw: bytes, told: Bundle) -> tuple[Submission, list[Told]]:
    """Return what a message Bundle says; raises FhirError."""
    entries, _ = _header(told)
    return await _read(door, caller, raw, told, entries)


def _header(told: Bundle) -> tuple[list[Entry], MessageHeader]:
    entries = entries_of(told.entry)
    if not entries or entries[0].kind != "MessageHeader":
        sentence = "The first entry of a message has to be its MessageHeader."
        raise refused(400, "required", sentence, "Bundle.entry[0].resource")
    header = decode(entries[0].raw, MessageHeader, entries[0].at)
    if not _event(header):
        raise refused(400, "required", "A message names its event.", f"{entries[0].at}.event")
    return entries, header


async def _read(
    door: Door, caller: Caller, raw: bytes, told: Bundle, entries: list[Entry]
) -> tuple[Submission, list[Told]]:
    header = decode(entries[0].raw, MessageHeader, entries[0].at)
    here = {(each.kind, each.id) for each in entries if each.id}
    found = await ours(door, caller, raw, here=here)
    submission = Submission(raw, caller, datetime.now(UTC), Scope(entries, found))
    submission.trigger = _event(header)
    submission.name(told.identifier.value if told.identifier else None, header.id, told.id)
    submission.sent = moment(told.timestamp, "Bundle.timestamp")
    return submission, _meaning(submission, header, entries[0])


def _event(header: MessageHeader) -> str:
    """Return the event's code, or the last part of its address."""
    if header.event_coding is not None:
        return (header.event_coding.code or "").strip()
    return (header.event_uri or "").rstrip("/").rpartition("/")[2]


def _meaning(submission: Submission, header: MessageHeader, entry: Entry) -> list[Told]:
    if not is_absent(header.response):
        sentence = "It answers a message; none was sent from here that is answered so."
        raise refused(422, "not-supported", sentence, f"{entry.at}.response")
    event = _event(header)
    if event in EVENTS:
        return [Told(alert(submission, header, event, entry.at), ())]
    if event.startswith(_ALERT):
        sentence = f"Of alerts, {', '.join(EVENTS)} are taken."
        raise refused(422, "not-supported", sentence, f"{entry.at}.event")
    system = header.event_coding.system if header.event_coding else None
    return contents(submission, event=event if _TABLE_OF_EVENTS in (system or "") else "")


def _answer(
    asked: Asked,
    header: MessageHeader,
    code: str,
    issues: Sequence[Issue],
    *,
    status: int = 200,
    stored: Sequence[Stored] = (),
    headers: dict[str, str] | None = None,
) -> Response[bytes]:
    """Answer with a message: MessageHeader.response, and an OperationOutcome where there is something to say.

    HTTP's status is that of the request, so that a sender that looks no further knows, too.
    """
    id_, details = str(uuid4()), str(uuid4())
    response: dict[str, Any] = {"identifier": header.id or id_, "code": code}
    entries: list[dict[str, Any]] = []
    if issues:
        response["details"] = {"reference": f"urn:uuid:{details}"}
        entries.append({"fullUrl": f"urn:uuid:{details}", "resource": msgspec.Raw(outcome(issues))})
    said: dict[str, Any] = {
        "resourceType": "MessageHeader",
        "id": id_,
        **_same_event(header),
        "destination": [{"endpoint": header.source.endpoint}],
        "source": {"name": "Throughcare", "endpoint": f"{asked.base}/$process-message"},
        "response": response,
    }
    if focus := [{"reference": each} for each in _focus(asked.base, stored)]:
        said["focus"] = focus
    first = {"fullUrl": f"urn:uuid:{id_}", "resource": said}
    now = datetime.now(UTC).isoformat()
    return answer(
        bundle("message", [first, *entries], id=str(uuid4()), timestamp=now), asked.media, status, headers
    )


def _same_event(header: MessageHeader) -> dict[str, Any]:
    if header.event_coding is None:
        return {"eventUri": header.event_uri}
    told = header.event_coding
    return {"eventCoding": {"code": told.code, **({"system": told.system} if told.system else {})}}


def _focus(base: str, stored: Sequence[Stored]) -> Iterator[str]:
    """Give the addresses where the referrals will be."""
    for each in stored:
        if isinstance(each.told.message, _ABOUT_REFERRAL) and each.resource is not None:
            yield Place("ServiceRequest", each.resource).below(base)
