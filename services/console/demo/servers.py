"""The demo's servers: those that the environment names, else embedded ones below the run folder."""

import os
import secrets
import shutil
import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from services.console import nats_accounts
from services.console.demo import hl7, nats_users
from services.console.embedded import start_nats, start_postgres
from services.console.faults import Failed
from services.console.output import step
from services.console.server_process import LOOPBACK
from services.gateway.source import token
from shared import settings
from shared.settings import Settings

NATS: Final = "THROUGHCARE_NATS_URL"
MONITOR: Final = "THROUGHCARE_NATS_MONITOR_URL"
USER: Final = "THROUGHCARE_NATS_USER"
PASSWORD: Final = "THROUGHCARE_NATS_PASSWORD"  # noqa: S105 -- a variable's name
DATABASE: Final = "THROUGHCARE_DATABASE_URL"
KEY: Final = "THROUGHCARE_IDENTIFIER_KEY"
MLLP_PORT: Final = 2575  # IANA gives it to HL7
FHIR_PORT: Final = 8080
HOSPITAL: Final = token(hl7.APPLICATION.lower(), hl7.FACILITY.lower())
"""The token of the demo's hospital."""


@contextmanager
def servers(folder: Path) -> Generator[Settings]:
    """Have both servers while inside, and give the settings that lead to them."""
    told = dict(os.environ)
    with ExitStack() as stack:
        if not _told(NATS):
            with step("Starting nats-server"):
                nats_users.let_in(folder / "nats", HOSPITAL)
                nats = stack.enter_context(start_nats(folder / "nats"))
            told |= {NATS: nats.url, MONITOR: nats.monitor_url}
            if users := nats_users.passwords(folder / "nats"):
                told |= {USER: nats_accounts.SERVICES, PASSWORD: users.services}
        if not _told(DATABASE):
            with step("Starting Postgres"):
                told[DATABASE] = stack.enter_context(start_postgres(folder / "postgres")).url
        if not _told(KEY):
            told[KEY] = _identifier_key(folder)
        yield settings.load(told)


def forget(folder: Path) -> None:
    """Delete what earlier demos left in the folder; raises Failed where servers of others would keep it."""
    if others := [name for name in (NATS, DATABASE) if _told(name)]:
        raise Failed(
            f"--fresh deletes what a demo's own servers hold; {' and '.join(others)} point elsewhere."
        )
    for path in (folder / "nats", folder / "postgres", folder / "services"):
        if path.exists():
            shutil.rmtree(path)
    (folder / "identifier-key").unlink(missing_ok=True)


def port_or_any(wanted: int) -> int:
    """Return the port when nobody listens there; else 0: any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError:
            return 0
    return wanted


def _told(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def _identifier_key(folder: Path) -> str:
    """Return the folder's secret, made at its first demo: with another, nobody would be found again."""
    file = folder / "identifier-key"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(24))
    return file.read_text()
