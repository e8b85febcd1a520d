"""A site as an integrator finds it: every service, NATS with users, and tokens for FHIR."""

import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from msgspec import Struct

from services.console.commands.apply import apply_all
from services.console.demo.fleet import Fleet
from services.console.embedded import EmbeddedServers
from services.console.nats_accounts import SERVICES
from services.console.server_process import LOOPBACK
from shared.settings import Settings
from tests.e2e.deployment import let_in


class Site(Struct):
    """Where everything is; `secret` is every source's token for FHIR and password at NATS."""

    mllp: str
    fhir: str
    nats: str
    secret: str
    folder: Path
    settings: Settings


@asynccontextmanager
async def open_site(*sources: str) -> AsyncGenerator[Site]:
    """Start a site that knows some sources."""
    directory = Path(tempfile.mkdtemp(prefix="throughcare-"))
    secret = uuid4().hex
    let_in(directory / "nats", dict.fromkeys((SERVICES, *sources), secret))
    servers = EmbeddedServers.start(directory)
    settings = Settings(
        nats_url=servers.nats_url,
        database_url=servers.database_url,
        nats_monitor_url=servers.nats_monitor_url,
        nats_user=SERVICES,
        nats_password=secret,
        identifier_key="a key of the test only",
        mllp_port=0,
        fhir_port=0,
        fhir_tokens=" ".join(f"{source}={secret}-{source}" for source in sources),
    )
    try:
        await apply_all(settings)
        with Fleet(settings, directory / "services") as fleet:
            (ports,) = (each.ports for each in fleet.reached() if each.service == "gateway")
            yield Site(
                mllp=f"{LOOPBACK}:{ports['mllp']}",
                fhir=f"http://{LOOPBACK}:{ports['fhir']}/fhir",
                nats=servers.nats_url,
                secret=secret,
                folder=directory,
                settings=settings,
            )
    finally:
        servers.stop()
        shutil.rmtree(directory)
