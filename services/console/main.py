"""The `throughcare` command: one file a command or group under `commands/`."""

import select
import sys
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from typer.core import TyperGroup

from services.console import run_folder
from services.console.commands import (
    command,
    consents,
    identity,
    outbound,
    parked,
    participants,
    referrals,
    send,
    sessions,
)
from services.console.commands.apply import apply
from services.console.commands.check_connection import check_connection
from services.console.commands.demo import demo
from services.console.commands.nats_permissions import nats_permissions
from services.console.commands.rebuild import rebuild, restore, verify
from services.console.commands.run import run
from services.console.commands.schema import schema
from services.console.commands.status import status
from services.console.commands.timeline import timeline
from services.console.commands.token import token
from services.console.commands.worklist import worklist
from services.console.faults import REFUSED, sentence_of, trace_wanted
from services.console.output import tell
from services.console.place import Place

EPILOG = (
    "Exit status: 0 done; 1 refused, failed or different; 2 the command line is not understood. "
    "Settings come from THROUGHCARE_… variables, else from the demo running in this folder."
)


class _Sentences(TyperGroup):
    """Commands whose errors are sentences on stderr."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 -- typer's own signature
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, KeyboardInterrupt):
            raise
        except Exception as error:
            if _is_usage(error) or trace_wanted() or _has_no_reader(error):
                raise
            tell(f"throughcare: {sentence_of(error)}")
            raise typer.Exit(REFUSED) from None


app = typer.Typer(
    name="throughcare",
    cls=_Sentences,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def throughcare(
    context: typer.Context,
    run_dir: Annotated[
        Path,
        typer.Option(
            envvar="THROUGHCARE_RUN", metavar="FOLDER", help="Where a demo runs, whose servers are used."
        ),
    ] = Path(run_folder.NAME),
) -> None:
    """Follow a participant of an Intensive Outpatient Program from referral to aftercare."""
    context.obj = Place(run_dir)
    _log_to_stderr()


READ = "Read"
RECORD = "Record"
SEND = "Send"
OPERATE = "Operate"

app.command(rich_help_panel=READ)(worklist)
app.command(rich_help_panel=READ)(timeline)
app.command(rich_help_panel=RECORD)(referrals.accept)
app.command(rich_help_panel=RECORD)(referrals.decline)
app.command(rich_help_panel=RECORD)(referrals.cancel)
app.command(rich_help_panel=RECORD)(participants.assess)
app.command(rich_help_panel=RECORD)(participants.enrol)
app.command(rich_help_panel=RECORD)(identity.match)
app.command(rich_help_panel=RECORD)(identity.merge)
app.command(rich_help_panel=RECORD)(identity.unmerge)
app.add_typer(consents.app, name="consent", rich_help_panel=RECORD)
app.add_typer(sessions.app, name="session", rich_help_panel=RECORD)
app.command(rich_help_panel=RECORD)(command.command)
app.command(rich_help_panel=SEND)(send.send)
app.command(rich_help_panel=SEND)(check_connection)
app.command(rich_help_panel=OPERATE)(demo)
app.command(rich_help_panel=OPERATE)(run)
app.command(rich_help_panel=OPERATE)(apply)
app.command(rich_help_panel=OPERATE)(nats_permissions)
app.command("migrate", hidden=True, rich_help_panel=OPERATE)(apply)
app.command(rich_help_panel=OPERATE)(status)
app.add_typer(parked.app, name="parked", rich_help_panel=OPERATE)
app.add_typer(outbound.app, name="outbound", rich_help_panel=OPERATE)
app.command(rich_help_panel=OPERATE)(verify)
app.command(rich_help_panel=OPERATE)(rebuild)
app.command(rich_help_panel=OPERATE)(restore)
app.command(rich_help_panel=OPERATE)(schema)
app.command(rich_help_panel=OPERATE)(token)


def main() -> None:
    """Run the command; ends the process with its status."""
    app(prog_name="throughcare")


def _is_usage(error: Exception) -> bool:
    """Tell whether it is the command line that is wrong: typer says so itself, with status 2."""
    return hasattr(error, "exit_code")


def _has_no_reader(error: Exception) -> bool:
    """Tell whether who read us, such as `head`, has seen enough: typer ends quietly then, with status 1."""
    if not isinstance(error, BrokenPipeError):
        return False
    stdout = select.poll()
    stdout.register(sys.stdout, 0)
    return bool(stdout.poll(0))  # a pipe that nobody reads is in error; else a server's connection broke


def _log_to_stderr() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("WARNING"),
        logger_factory=structlog.PrintLoggerFactory(typer.get_text_stream("stderr")),
    )
