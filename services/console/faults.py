"""Errors as sentences on stderr: a user never sees a traceback, unless THROUGHCARE_TRACEBACK is set."""

import os
import traceback
from pathlib import Path
from typing import Final

import asyncpg
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from services.console.server_start import ServerStartError
from shared.eventlog.errors import LogUnavailableError, UnsyncedLogError
from shared.eventlog.streams import StreamsError
from shared.process import ProcessFailedError
from shared.settings import SettingsError
from shared.site import SiteError

REFUSED: Final = 1
VARIABLE: Final = "THROUGHCARE_TRACEBACK"


class Failed(Exception):  # noqa: N818 -- it is an outcome; "FailedError" says the same twice
    """A command could not do what it was asked to; the text is the sentence that the user reads."""


_SENTENCES: Final = (
    Failed,
    LogUnavailableError,
    ProcessFailedError,
    ServerStartError,
    SettingsError,
    SiteError,
    StreamsError,
    UnsyncedLogError,
)
"""Errors whose text was written for the user."""

_PREFIXES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (asyncpg.UndefinedTableError, "The database has no read models yet (has timeline started?): "),
    (asyncpg.InvalidSchemaNameError, "The database has no read models yet (run `throughcare apply`): "),
    (asyncpg.PostgresError, "The database refused: "),
    (asyncpg.InterfaceError, "The database refused: "),
    (APIError, "The NATS server refused: "),
    (NatsError, "The NATS server cannot be reached: "),
    (TimeoutError, "A server did not answer in time: "),
    (OSError, "The system refused: "),
)
"""Errors of servers and of the system, the first that fits; their own text follows."""


def sentence_of(error: Exception) -> str:
    """Return what to tell the user."""
    if isinstance(error, _SENTENCES):
        return str(error)
    for kind, prefix in _PREFIXES:
        if isinstance(error, kind):
            return prefix + _text(error)
    return _fault_of_ours(error)


def trace_wanted() -> bool:
    """Tell whether the user asked for tracebacks."""
    return bool(os.environ.get(VARIABLE))


def _text(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0] or type(error).__name__
    return text if text.endswith(".") else f"{text}."


def _fault_of_ours(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
    return f"This should not happen: {type(error).__name__} at {where}. {VARIABLE}=1 shows more."
