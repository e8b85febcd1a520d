"""`throughcare send`: HL7 v2 messages to an MLLP receiver, as a hospital's interface engine sends them."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from services.console.faults import REFUSED, Failed
from services.console.output import print_json, print_table, tell
from services.console.place import Place, place_of
from services.gateway.mllp.batch import split_messages
from services.gateway.mllp.client import Answer
from services.gateway.mllp.client import send as send_messages

_ACCEPTED = {"AA", "CA"}
_DEFAULT_PORT = 2575


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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Send HL7 v2 messages over MLLP and tell what the receiver answered to each.

    A line per message: file, control id, acknowledgement code, error. Ends with status 1 if any was not
    accepted (AA or CA).
    """
    host, port = _receiver(to, place_of(context))
    sent = asyncio.run(_send_all(host, port, [(path, path.read_bytes()) for path in files]))
    if as_json:
        print_json(sent)
    else:
        _print(sent)
    if not all(one.code in _ACCEPTED for one in sent):
        raise typer.Exit(REFUSED)


def _receiver(to: str | None, place: Place) -> tuple[str, int]:
    running = place.folder.running()
    named = to or (running.mllp if running else f"127.0.0.1:{_DEFAULT_PORT}")
    host, colon, port = named.rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise typer.BadParameter("HOST:PORT is expected, such as 127.0.0.1:2575.", param_hint="--to")
    return host.strip("[]"), int(port)


async def _send_all(host: str, port: int, files: list[tuple[Path, bytes]]) -> list[Sent]:
    messages = [(str(path), message) for path, content in files for message in split_messages(content)]
    sent: list[Sent] = []
    try:
        async for answer in send_messages(host, port, [message for _, message in messages]):
            sent.append(_sent(messages[len(sent)][0], answer))
    except OSError:
        raise Failed(f"Nobody listens on {host}:{port}.") from None
    return sent


def _sent(file: str, answer: Answer) -> Sent:
    return Sent(file, answer.control_id, answer.code, answer.error)


def _print(sent: list[Sent]) -> None:
    rows = [(one.file, one.control_id, one.code or "none", one.error) for one in sent]
    print_table(("FILE", "CONTROL ID", "ANSWER", "ERROR"), rows, empty="There was no message to send.")
    refused = sum(one.code not in _ACCEPTED for one in sent)
    if refused:
        tell(f"{refused} of {len(sent)} messages were not accepted.")
