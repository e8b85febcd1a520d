"""The checkout's own tools (.tools) and virtual environment (.venv), made from the locks and kept current."""

import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pip_settings import pip_variables, uv_variables
from progress import StepFailedError, run_step, say


class Environment:
    """Where the tools of one checkout are. `ensure()` before using them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tools = root / ".tools"
        self.venv = root / ".venv"
        self.python = self.venv / "bin" / "python"
        self.uv = self.tools / "bin" / "uv"
        self.requirements = root / "requirements.lock"
        self.bootstrap = root / "deploy" / "dev" / "bootstrap.lock"

    def variables(self) -> dict[str, str]:
        """The environment of what runs in .venv: its programs first on PATH, our packages importable."""
        path = os.pathsep.join([str(self.venv / "bin"), os.environ.get("PATH", os.defpath)])
        return {**os.environ, "PATH": path, "PYTHONPATH": str(self.root), "VIRTUAL_ENV": str(self.venv)}

    def ensure(self) -> None:
        """Bring .venv to what requirements.lock says; costs a millisecond when it is there already."""
        if self._is_current():
            return
        with self._alone():
            if not self._is_current():
                self._install()

    def ensure_uv(self) -> None:
        """Bring .tools to the uv that bootstrap.lock pins; raises StepFailedError."""
        stamp = self.tools / "bootstrap.stamp"
        if _reads(stamp, self._stamp_of(self.bootstrap)) and self.uv.exists():
            return
        shutil.rmtree(self.tools, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", self.tools]
        run_step(
            "Installing uv, the installer, with pip",
            [*pip, "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", self.bootstrap],
            pip_variables(),
            self.root,
        )
        stamp.write_text(self._stamp_of(self.bootstrap))

    def _install(self) -> None:
        self._stamp.unlink(missing_ok=True)
        try:
            self.ensure_uv()
        except StepFailedError as failure:
            say(f"{failure} Going on with venv and pip, which takes longer.")
            self._sync_with_pip()
        else:
            self._sync_with_uv()
        self._stamp.write_text(self._stamp_of(self.requirements))

    def _sync_with_uv(self) -> None:
        variables = {**os.environ, **uv_variables(os.environ)}
        if not self.python.exists():
            make = [self.uv, "venv", "--quiet", "--clear", "--no-project", "-p", sys.executable, self.venv]
            run_step("Making .venv", make, variables, self.root)
        sync = [self.uv, "pip", "sync", "--require-hashes", "--python", self.python, self.requirements]
        run_step("Installing what requirements.lock pins", sync, variables, self.root)

    def _sync_with_pip(self) -> None:
        # pip removes nothing that a lock no longer names, so this starts from nothing.
        make = [sys.executable, "-m", "venv", "--clear", self.venv]
        run_step("Making .venv", make, pip_variables(), self.root)
        pip = [self.python, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
        install = [*pip, "-r", self.requirements]
        run_step("Installing what requirements.lock pins", install, pip_variables(), self.root)

    @property
    def _stamp(self) -> Path:
        return self.venv / "requirements.stamp"

    def _is_current(self) -> bool:
        return self.python.exists() and _reads(self._stamp, self._stamp_of(self.requirements))

    def _stamp_of(self, lock: Path) -> str:
        # A moved checkout needs its tools anew: the scripts of an environment name its path.
        return hashlib.sha256(lock.read_bytes() + bytes(self.root)).hexdigest()

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Two ./dev at once: the second waits for the first. The lock dies with its process."""
        checkout = os.open(self.root, os.O_RDONLY)
        try:
            try:
                fcntl.flock(checkout, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("Another ./dev is installing; waiting for it ...")
                fcntl.flock(checkout, fcntl.LOCK_EX)
            yield
        finally:
            os.close(checkout)


def _reads(file: Path, expected: str) -> bool:
    try:
        return file.read_text() == expected
    except OSError:
        return False
