"""`throughcare send`: HL7 v2 messages to an MLLP receiver, as a hospital's interface engine sends them."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct

from services.console.faults import REFUSED, Failed
from services.console.output import print_table, tell
from services.console.place import Place, place_of
from services.console.sent_file import SentFile, digest
from services.gateway.mllp.batch import read_messages
from services.gateway.mllp.client import Answer
from services.gateway.mllp.client import send as send_messages
from services.gateway.mllp.tls import client_context

_DEFAULT_PORT = 2575
_SHOWN = 1_000  # accepted messages in a table; of more only their number is told


class Sent(Struct, frozen=True):
    """One message and what became of it."""

    file: str
    control_id: str
    code: str
    error: str


def send(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Files with one message, several, or an HL7 batch.",
            exists=True,
            dir_okay=False,
            readable=True,
            show_default=False,
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="HOST:PORT", help="The receiver; else the running demo's gateway."),
    ] = None,
    window: Annotated[int, typer.Option(min=1, help="How many may be unanswered at a time.")] = 1,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Note what is accepted in FILE.sent, and send only what is not there."),
    ] = False,
    tls: Annotated[bool, typer.Option("--tls", help="Speak TLS; the other --tls options imply it.")] = False,
    tls_ca: Annotated[
        Path | None,
        typer.Option("--tls-ca", exists=True, help="Who vouches for the receiver (PEM); else the system's."),
    ] = None,
    tls_certificate: Annotated[
        Path | None,
        typer.Option("--tls-certificate", exists=True, help="Our certificate (PEM), perhaps with its key."),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", exists=True, help="The key of our certificate (PEM).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Send HL7 v2 messages over MLLP and tell what the receiver answered to each.

    A line per message: file, control id, acknowledgement code, error. Ends with status 1 if any was not
    accepted (AA or CA). Files are read as they are sent, so that they may be large.
    """
    host, port = _receiver(to, place_of(context))
    asked = tls or tls_ca is not None or tls_certificate is not None
    encrypted = client_context(tls_ca, tls_certificate, tls_key) if asked else None
    report = _JsonReport() if as_json else _TableReport()
    with ExitStack() as stack:
        notes = {path: stack.enter_context(SentFile(path)) for path in files} if resume else {}
        outbox = _Outbox(files, notes)
        asyncio.run(_send_all(outbox, report, host, port, window=window, tls=encrypted))
    report.end(outbox.skipped)
    if report.refused:
        raise typer.Exit(REFUSED)


def _receiver(to: str | None, place: Place) -> tuple[str, int]:
    running = place.folder.running()
    named = to or (running.mllp if running else f"127.0.0.1:{_DEFAULT_PORT}")
    host, colon, port = named.rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise typer.BadParameter("HOST:PORT is expected, such as 127.0.0.1:2575.", param_hint="--to")
    return host.strip("[]"), int(port)


class _Outbox:
    """The messages of the files, read one by one; those on their way are known by file and digest."""

    def __init__(self, files: Sequence[Path], notes: dict[Path, SentFile]) -> None:
        self.skipped = 0
        self._files = files
        self._notes = notes
        self._on_their_way: deque[tuple[Path, str]] = deque()

    def messages(self) -> Iterator[bytes]:
        """Give each message that is still to be sent."""
        for path in self._files:
            notes = self._notes.get(path)
            with path.open("rb") as file:
                for message in read_messages(file):
                    if notes is not None and notes.has(message):
                        self.skipped += 1
                        continue
                    self._on_their_way.append((path, digest(message)))
                    yield message

    def answered(self, answer: Answer) -> Sent:
        """Take the answer to the first message on its way."""
        path, noted = self._on_their_way.popleft()
        if answer.is_accepted and path in self._notes:
            self._notes[path].accepted(noted)
        return Sent(str(path), answer.control_id, answer.code, answer.error)


class _Report:
    """What is told of the messages sent."""

    refused = 0
    accepted = 0

    def add(self, sent: Sent, *, accepted: bool) -> None:
        """Tell of one more message."""
        if accepted:
            self.accepted += 1
        else:
            self.refused += 1
        self.show(sent, accepted=accepted)

    def show(self, sent: Sent, *, accepted: bool) -> None:
        raise NotImplementedError

    def end(self, skipped: int) -> None:
        """Finish."""
        if self.refused:
            tell(f"{self.refused} of {self.accepted + self.refused} messages were not accepted.")
        if skipped:
            tell(f"{skipped} were accepted before and not sent again.")


class _TableReport(_Report):
    """A table at the end, of the messages not accepted and, where they are not too many, of the others."""

    def __init__(self) -> None:
        self._rows: list[Sent] = []

    def show(self, sent: Sent, *, accepted: bool) -> None:
        if not accepted or self.accepted <= _SHOWN:
            self._rows.append(sent)

    def end(self, skipped: int) -> None:
        rows = [(row.file, row.control_id, row.code or "none", row.error) for row in self._rows]
        nothing = "Every message was accepted before." if skipped else "There was no message to send."
        print_table(("FILE", "CONTROL ID", "ANSWER", "ERROR"), rows, empty=nothing)
        if self.accepted > _SHOWN:
            tell(f"{self.accepted} messages were accepted; the table shows {_SHOWN} of them.")
        super().end(skipped)


class _JsonReport(_Report):
    """An array with an object for each message, printed as they are answered."""

    def __init__(self) -> None:
        self._separator = "["

    def show(self, sent: Sent, *, accepted: bool) -> None:  # noqa: ARG002 - the code says it
        print(f"{self._separator}\n  {msgspec.json.encode(sent).decode()}", end="")
        self._separator = ","

    def end(self, skipped: int) -> None:
        print("[]" if self._separator == "[" else "\n]")
        super().end(skipped)


async def _send_all(
    outbox: _Outbox, report: _Report, host: str, port: int, *, window: int, tls: ssl.SSLContext | None
) -> None:
    answers: AsyncIterator[Answer] = send_messages(host, port, outbox.messages(), window=window, tls=tls)
    try:
        async for answer in answers:
            report.add(outbox.answered(answer), accepted=answer.is_accepted)
    except ssl.SSLError as error:
        raise Failed(f"No TLS connection to {host}:{port} could be made: {error.reason}.") from None
    except OSError:
        raise Failed(f"Nobody listens on {host}:{port}.") from None
