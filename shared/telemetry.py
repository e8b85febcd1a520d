"""Logs: one JSON object a line on stderr, holding ids, names of things and figures; never a person's data.

What a line may carry is decided here, not by each caller. A value that is neither a number nor a short
text or id is written as the name of its type, so that a struct with demographics or a message body cannot
slip through; an exception is written as its type and where it was raised, without its text, for the text
of a database's error may quote a row. Configured once a process, before anything is logged.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping, Sequence
from datetime import date
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, cast
from uuid import UUID

import msgspec
import structlog
from structlog.types import EventDict, Processor

from shared.events.envelope import Event, Recorded
from shared.settings import Settings

_ROOT: Final = Path(__file__).resolve().parents[1]
_LONGEST: Final = 400  # a sentence of ours is shorter, a message body is not
_FRAMES: Final = 8
# httpx writes the whole address that it asks, in which a receiver may have put a secret of its own.
_TOO_CHATTY: Final = ("faststream", "uvicorn", "asyncio", "httpx", "httpcore")


def configure(service: str, settings: Settings) -> None:
    """Send every log line of the process, ours and the libraries', to stderr as JSON."""
    structlog.contextvars.bind_contextvars(service=service)
    structlog.configure(
        processors=[*_common(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    _configure_standard_library(service, settings.log_level.upper())


def ids(event: Event | Recorded) -> dict[str, Any]:
    """Return what a log line may say of an event: its type, its ids and, once recorded, its position."""
    if isinstance(event, Recorded):
        position = event.position
        return {**ids(event.event), "partition": position.partition, "sequence": position.sequence}
    return {"event_type": event.type, "event_id": event.id, "participant": event.subject}


def failure(error: BaseException) -> dict[str, str]:
    """Return what a log line may say of an exception: its type and where it was raised, not its text."""
    return {"error": type(error).__name__, "raised_at": _place(error.__traceback__)}


def _common() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _without_exception_text,
        _only_what_may_be_logged,
    ]


def _configure_standard_library(service: str, level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_of(service), _first_line, *_common()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _TOO_CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _of(service: str) -> Processor:
    # A library may log from a thread of its own, where the context variable is not set.
    def name_it(_logger: object, _method: str, line: EventDict) -> EventDict:
        line["service"] = service
        return line

    return name_it


def _first_line(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Keep only the first line of a library's text: asyncio's next ones show the exception itself."""
    line["event"] = str(line["event"]).partition("\n")[0]
    return line


def _without_exception_text(_logger: object, _method: str, line: EventDict) -> EventDict:
    error = _exception(line.pop("exc_info", None))
    if error is not None:
        line["error"] = type(error).__name__
        line["trace"] = _frames(error.__traceback__)
    return line


def _exception(told: object) -> BaseException | None:
    match told:
        case BaseException():
            return told
        case tuple():
            return next((part for part in told if isinstance(part, BaseException)), None)  # pyright: ignore[reportUnknownVariableType]
        case True:
            return sys.exception()
        case _:
            return None


def _only_what_may_be_logged(_logger: object, _method: str, line: EventDict) -> EventDict:
    for key, value in line.items():
        if not key.startswith("_"):
            line[key] = _loggable(value)
    return line


def _loggable(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
        case UUID() | date():
            return str(value)
        case Enum():
            return _loggable(value.value)
        case list() | tuple():
            return [_loggable(item) for item in cast("Sequence[object]", value)]
        case _:
            return f"<{type(value).__name__}>"


def _frames(trace: TracebackType | None) -> list[str]:
    return [_frame(frame) for frame in traceback.extract_tb(trace)[-_FRAMES:]]


def _place(trace: TracebackType | None) -> str:
    return next(iter(reversed(_frames(trace))), "")


def _frame(frame: traceback.FrameSummary) -> str:
    path = Path(frame.filename)
    shown = path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else Path(*path.parts[-2:])
    return f"{shown}:{frame.lineno} {frame.name}"


def _json(line: MutableMapping[str, Any], **_options: object) -> str:
    return msgspec.json.encode(line).decode()
