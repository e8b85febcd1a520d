"""The profiles in force."""

from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from services.gateway.profile_file import load
from services.gateway.profile_lines import ProfilesError
from services.gateway.profiles import Profiles, without_file
from services.gateway.watched_file import Stamps

_log = structlog.get_logger()


class ProfileBook:
    """Gives the profiles that hold now. A new file that is broken leaves the old ones in force."""

    def __init__(self, path: Path | None, zone: ZoneInfo) -> None:
        """Read the file; raises ProfilesError. Without a path anybody may send anything."""
        self.stamps = Stamps([path])
        self._path = path
        self._zone = zone
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
        self.stamps.note()
        try:
            self._now = load(self._path, self._zone)
        except ProfilesError as error:
            self._problem = f"The profiles read before stay in force. {error}"
            _log.error("profiles-not-loaded", reason=str(error))
        else:
            self._problem = None
            _log.info("profiles-loaded", profiles=len(list(self._now.each)))
