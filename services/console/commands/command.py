"""`throughcare command`: any command of a coordinator, as JSON."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from uuid_utils import uuid7

from services.console.answers import report
from services.console.asking import send
from services.console.options import CONSOLE, Actor, AsJson
from services.console.place import place_of


def command(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="intake, care_plan or aftercare.", show_default=False)],
    name: Annotated[str, typer.Argument(help="Its name, such as AcceptReferral.", show_default=False)],
    body: Annotated[
        str, typer.Argument(metavar="JSON|@FILE", help="Its fields, or a file.", show_default=False)
    ],
    actor: Actor = CONSOLE,
    as_json: AsJson = False,
) -> None:
    """Send a command to a service and print the answer.

    `id`, `actor` and `now` are filled in where absent. The same `id` again is the same command: nothing
    happens twice. Ends with status 1 when it was refused.
    """
    fields = {
        "id": str(uuid7()),
        "actor": actor,
        "now": datetime.now(UTC).isoformat(),
        "command": name,
        **_fields(body),
    }
    raw = msgspec.json.encode(fields)
    answer = asyncio.run(send(place_of(context), lambda client: client.ask_raw(service, name, raw)))
    report(answer, as_json=as_json)


def _fields(told: str) -> dict[str, Any]:
    try:
        text = Path(told[1:]).read_text(encoding="utf-8") if told.startswith("@") else told
        return msgspec.json.decode(text, type=dict[str, Any])
    except OSError as error:
        raise typer.BadParameter(f"{told[1:]} cannot be read: {error.strerror}.") from None
    except msgspec.DecodeError as error:
        raise typer.BadParameter(f"A JSON object is expected: {error}.") from None
