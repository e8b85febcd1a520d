"""The profiles in force: read at the start, again at SIGHUP and when the file changes."""

import asyncio
import signal
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import structlog

from services.gateway.profiles import Profiles, ProfilesError, load, without_file

_log = structlog.get_logger()
_LOOK_SECONDS = 1.0


class _Stamp(NamedTuple):
    """What changes when a file does, also where another takes its name."""

    modified: int
    size: int
    inode: int


class ProfileBook:
    """Gives the profiles that hold now. A new file that is broken leaves the old ones in force."""

    def __init__(self, path: Path | None, zone: ZoneInfo) -> None:
        """Read the file; raises ProfilesError. Without a path anybody may send anything."""
        self._path = path
        self._zone = zone
        self._stamp = _stamp(path)
        self._now = load(path, zone) if path else without_file(zone)
        self._problem: str | None = None

    @property
    def now(self) -> Profiles:
        """The profiles in force."""
        return self._now

    def problem(self) -> str | None:
        """Say why the file as it is now is not in force; None where it is."""
        return self._problem

    def reload(self) -> None:
        """Read the file again."""
        if self._path is None:
            return
        self._stamp = _stamp(self._path)
        try:
            self._now = load(self._path, self._zone)
        except ProfilesError as error:
            self._problem = f"The profiles read before stay in force. {error}"
            _log.error("profiles-not-loaded", reason=str(error))
        else:
            self._problem = None
            _log.info("profiles-loaded", profiles=len(self._now.named))

    async def watch(self) -> None:
        """Reload whenever the file changes or SIGHUP comes; runs until cancelled."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self.reload)
        try:
            while True:
                await asyncio.sleep(_LOOK_SECONDS)
                if _stamp(self._path) != self._stamp:
                    self.reload()
        finally:
            loop.remove_signal_handler(signal.SIGHUP)


def _stamp(path: Path | None) -> _Stamp | None:
    """Return None where there is no file: one that is being replaced is there the next time."""
    try:
        told = path.stat() if path else None
    except OSError:
        return None
    return _Stamp(told.st_mtime_ns, told.st_size, told.st_ino) if told else None
