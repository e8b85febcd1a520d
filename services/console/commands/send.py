"""`throughcare send`: files of messages to a gateway, over MLLP or HTTP, as a hospital sends them."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from services.console.encryption import encryption
from services.console.faults import REFUSED, Failed
from services.console.place import place_of
from services.console.run_folder import Running
from services.console.sending.by_http import HttpWay
from services.console.sending.by_mllp import MllpWay
from services.console.sending.outbox import Outbox
from services.console.sending.report import JsonReport, TableReport
from services.console.sending.sent_file import SentFile

_DEFAULT_PORT = 2575


def send(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Files with one message, several, an HL7 batch, NDJSON, or one JSON document.",
            exists=True,
            dir_okay=False,
            readable=True,
            show_default=False,
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="HOST:PORT|URL",
            help="The receiver over MLLP, or a gateway's URL over HTTP; else the running demo's gateway.",
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="THROUGHCARE_TOKEN",
            metavar="TOKEN",
            help="Bearer token, over HTTP; in the variable it stands in no list of processes.",
            show_default=False,
        ),
    ] = None,
    window: Annotated[int, typer.Option(min=1, help="How many may be unanswered at a time, over MLLP.")] = 1,
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
    """Send messages, and tell what the receiver answered to each.

    HL7 v2 goes over MLLP or HTTP; FHIR resources and CloudEvents, one a line (NDJSON), go over HTTP. A line
    per message: file, control id, answer, error. Ends with status 1 if any was not accepted (AA or CA; over
    HTTP stored). Files are read as they are sent, so that they may be large.
    """
    encrypted = encryption(tls_ca, tls_certificate, tls_key, wanted=tls)
    report = JsonReport() if as_json else TableReport()
    with ExitStack() as stack:
        notes = {path: stack.enter_context(SentFile(path)) for path in files} if resume else {}
        outboxes = [Outbox(path, notes.get(path)) for path in files]
        running = place_of(context).folder.running()
        way = _way(to, outboxes, running, token)
        try:
            if isinstance(way, _Address):
                asyncio.run(MllpWay(*way, window=window, tls=encrypted).send(outboxes, report))
            else:
                if encrypted is not None and way.url.startswith("http://"):
                    raise typer.BadParameter("TLS goes to an https:// address.", param_hint="--to")
                HttpWay(way.url, way.token, encrypted).send(outboxes, report)
        except Failed:
            report.break_off()
            raise
    report.end()
    if report.refused:
        raise typer.Exit(REFUSED)


class _Address(NamedTuple):
    host: str
    port: int


class _Base(NamedTuple):
    url: str
    token: str | None


def _way(
    to: str | None, outboxes: Sequence[Outbox], running: Running | None, token: str | None
) -> _Address | _Base:
    """Return where to send: a URL by HTTP; without --to the demo's, NDJSON by HTTP and HL7 v2 over MLLP."""
    if to is not None and to.startswith(("http://", "https://")):
        return _Base(to, token)
    if to is None and running is not None and any(outbox.form == "ndjson" for outbox in outboxes):
        return _Base(running.fhir, token or running.fhir_token)
    named = to or (running.mllp if running else f"127.0.0.1:{_DEFAULT_PORT}")
    host, colon, port = named.rpartition(":")
    if not colon or not host or not port.isdecimal():
        sentence = "HOST:PORT is expected, such as 127.0.0.1:2575, or the URL of a gateway's HTTP port."
        raise typer.BadParameter(sentence, param_hint="--to")
    return _Address(host.strip("[]"), int(port))
