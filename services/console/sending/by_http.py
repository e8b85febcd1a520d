"""Sends files over HTTP: each is the body of one POST /batch, which answers with a line for each message."""

import hashlib
import ssl
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec
from msgspec import Struct

from services.console.faults import Failed
from services.console.sending.outbox import Form, Outbox
from services.console.sending.report import Report, Sent
from services.console.sending.sent_file import digest

_TYPES: Final[dict[Form, str]] = {"ndjson": "application/x-ndjson", "hl7v2": "application/hl7-v2"}
_SECONDS: Final = 120.0  # without anything sent or received
_BATCH: Final = "/batch"
_BROKEN: Final = "The connection broke; with --resume the next try goes on where this one ended."


class _Issue(Struct):
    diagnostics: str = ""
    expression: list[str] = []

    def __str__(self) -> str:
        return ": ".join(filter(None, (", ".join(self.expression), self.diagnostics)))


class _Answer(Struct):
    """A line of the answer, whichever it is; or the OperationOutcome of a batch that was not taken."""

    status: str = ""
    control_id: str = ""
    issue: list[_Issue] = []
    summary: msgspec.Raw = msgspec.Raw()

    @property
    def is_last(self) -> bool:
        return bool(memoryview(self.summary))

    @property
    def error(self) -> str:
        return "; ".join(map(str, self.issue)) if self.status != "stored" else ""


class HttpWay:
    """A gateway's HTTP port, and the bearer token of the source that sends."""

    def __init__(self, url: str, token: str | None, tls: ssl.SSLContext | None) -> None:
        """Take the address of the gateway: of its root, of its FHIR base or of /batch itself."""
        base = url.rstrip("/").removesuffix(_BATCH).removesuffix("/fhir")
        self._url = base + _BATCH
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._verify = tls if tls is not None else True

    def send(self, outboxes: Sequence[Outbox], report: Report) -> None:
        """Send every file and tell what became of each message; raises Failed where it is not taken."""
        for outbox in outboxes:
            with self._answers(outbox) as answers:
                _tell(outbox, answers, report)

    @contextmanager
    def _answers(self, outbox: Outbox) -> Generator[Iterator[_Answer]]:
        headers = {**self._headers, "Content-Type": _TYPES[outbox.form]}
        if outbox.notes is not None:
            headers["Idempotency-Key"] = _key(outbox)
        try:
            with (
                httpx.Client(verify=self._verify, timeout=_SECONDS) as client,
                client.stream("POST", self._url, content=_body(outbox), headers=headers) as response,
            ):
                if not response.is_success:
                    raise Failed(_refusal(self._url, response))
                yield (msgspec.json.decode(line, type=_Answer) for line in response.iter_lines())
        except httpx.ConnectError as fault:
            raise Failed(f"No connection to {_host(self._url)} could be made: {fault}.") from None
        except httpx.TransportError:
            raise Failed(_BROKEN) from None


def _body(outbox: Outbox) -> Iterator[bytes]:
    for message in outbox.messages():
        if message is not None:
            yield message if message.endswith((b"\r", b"\n")) else message + b"\n"


def _tell(outbox: Outbox, answers: Iterator[_Answer], report: Report) -> None:
    """Read the file once more beside its answers: none of it is held, however long it is."""
    lines = (answer for answer in answers if not answer.is_last)
    for message in outbox.messages():
        if message is None:
            report.skipped += 1
            continue
        answer = next(
            lines, _Answer(issue=[_Issue("It was not read: what came before could not be stored.")])
        )
        accepted = answer.status == "stored"
        if accepted and outbox.notes is not None:
            outbox.notes.accepted(digest(message))
        sent = Sent(str(outbox.path), answer.control_id, answer.status, answer.error)
        report.add(sent, accepted=accepted)


def _key(outbox: Outbox) -> str:
    """Name what is sent: the gateway goes on with the same, and what was corrected is another."""
    told = hashlib.blake2b(digest_size=16)
    for message in outbox.messages():
        if message is not None:
            told.update(digest(message).encode())
    return told.hexdigest()


def _refusal(url: str, response: httpx.Response) -> str:
    try:
        said = msgspec.json.decode(response.read(), type=_Answer).error
    except msgspec.DecodeError:
        said = ""
    return f"{_host(url)} answered {response.status_code}: {said or response.reason_phrase}"


def _host(url: str) -> str:
    """The host of an address, without what may stand before it."""
    return urlsplit(url).hostname or url
