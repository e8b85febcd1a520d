"""`throughcare schema`: the contract, as JSON Schemas and as an AsyncAPI document."""

from typing import Annotated

import typer

from services.console.faults import REFUSED, Failed
from services.console.output import out, print_json, tell
from shared import asyncapi as contract
from shared.events import schemas


def schema(
    write: Annotated[bool, typer.Option("--write", help="Bring the golden schemas up to date.")] = False,
    asyncapi: Annotated[bool, typer.Option("--asyncapi", help="Print the AsyncAPI 3 document.")] = False,
) -> None:
    """Check that every event's stored schema is that of the code; ends with status 1 where one is not.

    With --write the stored schemas follow the code, unless a change would refuse what the log holds.
    """
    if asyncapi:
        print_json(contract.document())
    elif write:
        _write()
    else:
        _check()


def _write() -> None:
    try:
        changed = schemas.write_golden()
    except schemas.IncompatibleSchemaError as error:
        raise Failed(str(error)) from None
    for path in changed:
        out.print(f"{path.name} written.", markup=False)
    out.print("Every schema is stored." if changed else "Every schema was stored already.")


def _check() -> None:
    stale = [*schemas.incompatible(), *schemas.outdated()]
    for line in stale:
        tell(line)
    if stale:
        raise typer.Exit(REFUSED)
    out.print(f"{len(schemas.golden())} event types, each with its stored schema.")
