"""The demo from its first server to its last promise."""

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final

from msgspec.structs import replace

from services.console.commands.apply import apply_all
from services.console.commands.timeline import read_chart
from services.console.demo import cohort, nats_users, report
from services.console.demo.fleet import SERVICES, Fleet
from services.console.demo.front_door import FrontDoor
from services.console.demo.hl7 import Patient
from services.console.demo.journeys import JOURNEYS
from services.console.demo.servers import FHIR_PORT, HOSPITAL, MLLP_PORT, forget, port_or_any, servers
from services.console.faults import Failed
from services.console.output import out, step, tell
from services.console.place import database_of, nats_of
from services.console.run_folder import RunFolder, Running
from services.console.server_start import ServerStartError
from services.console.timeline_view import chart
from services.console.worklist_view import worklist_table
from services.timeline import queries
from services.timeline.read_models.timeline import Entry
from shared.projections.postgres import Connection
from shared.settings import Settings, environment_of
from shared.site import site_of

_OF_A_SERVICE: Final = {
    "THROUGHCARE_ADMIN_PORT",
    "THROUGHCARE_MLLP_PORT",
    "THROUGHCARE_FHIR_PORT",
    "THROUGHCARE_RUN_FILE",
}
_TLS: Final = "THROUGHCARE_MLLP_TLS_CERTIFICATE"
_WATCH_SECONDS: Final = 0.5
_TOKEN_BYTES: Final = 24


def run(folder: RunFolder, *, headless: bool, fresh: bool) -> None:
    """Run the demo; returns when it was asked to stop, or with `headless` when the cohort is through.

    Raises Failed naming each promise that was not kept, ServerStartError where something did not start.
    """
    _prepare(folder, fresh=fresh)
    with _stopping_in_order(), servers(folder.path) as told:
        settings = _with_token(told)
        asyncio.run(_apply(settings))
        with _services(settings, folder.path) as fleet:
            running = _running(fleet, settings, folder.path)
            folder.write(running)
            try:
                patient, then = asyncio.run(_show(settings, running))
                if not headless:
                    report.tell_how_to_go_on(running, patient, then)
                    _watch(fleet)
            except KeyboardInterrupt:
                out.print("\nStopping: services, Postgres, nats-server.")
            finally:
                folder.clear()


def _prepare(folder: RunFolder, *, fresh: bool) -> None:
    if os.environ.get(_TLS):
        raise Failed(
            f"The demo's hospitals speak plain MLLP: leave out {_TLS}, or give it to a second gateway."
        )
    running = folder.running()
    if running is not None:
        raise Failed(f"A demo runs in {folder.path} already (process {running.pid}); stop it first.")
    folder.path.mkdir(parents=True, exist_ok=True)
    if fresh:
        forget(folder.path)


async def _apply(settings: Settings) -> None:
    with step("Applying streams and migrations"):
        await apply_all(settings)


@contextmanager
def _services(settings: Settings, folder: Path) -> Generator[Fleet]:
    with step(f"Starting {', '.join(SERVICES)}"):
        fleet = _started(settings, folder / "services")
    try:
        yield fleet
    finally:
        fleet.stop()


def _with_token(settings: Settings) -> Settings:
    """Let the demo's hospital read by FHIR; its token is in the run file, which only its owner reads."""
    return replace(
        settings, fhir_tokens=settings.fhir_tokens or f"{HOSPITAL}={secrets.token_urlsafe(_TOKEN_BYTES)}"
    )


def _started(settings: Settings, folder: Path) -> Fleet:
    """Start every service; where somebody takes a usual port meanwhile, on others."""
    mllp, fhir = port_or_any(MLLP_PORT), port_or_any(FHIR_PORT)
    try:
        return Fleet(replace(settings, mllp_port=mllp, fhir_port=fhir), folder).start()
    except ServerStartError:
        if mllp == fhir == 0:
            raise
        return Fleet(replace(settings, mllp_port=0, fhir_port=0), folder).start()


def _running(fleet: Fleet, settings: Settings, folder: Path) -> Running:
    reached = fleet.reached()
    (ports,) = (told.ports for told in reached if told.service == "gateway")
    environment = environment_of(settings)
    users = nats_users.passwords(folder / "nats")
    if users and users.services != settings.nats_password:  # a server of others is used
        users = None
    return Running(
        pid=os.getpid(),
        mllp=f"{settings.mllp_host}:{ports['mllp']}",
        fhir=f"http://{settings.fhir_host}:{ports['fhir']}/fhir",
        fhir_token=(settings.fhir_tokens or "").split()[0].partition("=")[2],
        nats=settings.nats_url if users else "",
        nats_user=HOSPITAL if users else "",
        nats_password=users.hospital if users else "",
        services=reached,
        environment={name: value for name, value in environment.items() if name not in _OF_A_SERVICE},
    )


async def _show(settings: Settings, running: Running) -> tuple[Patient, str]:
    """Send the cohort, show what came of it, and check what was promised.

    Returns whose timeline was shown, and when half of it was known.
    """
    async with nats_of(settings) as nats, database_of(settings) as database:
        door = FrontDoor(settings, running.mllp, nats, database)
        journeys = await cohort.to_play(door)
        with step(f"Sending {len(journeys)} journeys through the front doors"):
            played = await cohort.play(door, journeys, cohort.run_token(datetime.now(UTC)))
        patient = report.whose_timeline(played)
        then = await _draw(database, settings, patient)
    report.tell_journeys(played, continued=len(journeys) < len(JOURNEYS))
    return patient, then


async def _draw(database: Connection, settings: Settings, patient: Patient) -> str:
    site = site_of(settings)
    items = await queries.worklist(database, site, datetime.now(UTC))
    out.print(worklist_table(items, title="\nWorklist"), end="\n\n")
    known: list[Entry] = []
    for found in await queries.find_participant(database, patient.number):
        read = await read_chart(database, site, found.participant)
        known += read.timeline
        out.print(chart(read, site))
    return report.halfway(known, site) if known else ""


def _watch(fleet: Fleet) -> None:
    """Stay until interrupted; a service that ended is started again, as a supervisor would."""
    while True:
        time.sleep(_WATCH_SECONDS)
        for service in fleet:
            if not service.is_running:
                tell(f"{service.name} ended with status {service.status}; it is started again.")
                service.start()


@contextmanager
def _stopping_in_order() -> Generator[None]:
    """Treat SIGTERM and a closed terminal as Ctrl-C, so that everything is stopped.

    SIGINT, too: a script's `demo &` is started without Python's own way to take it.
    """

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    stops = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: interrupt, signal.SIGHUP: interrupt}
    before = {each: signal.signal(each, handler) for each, handler in stops.items()}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
