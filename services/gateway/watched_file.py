"""What is read from files while the gateway runs: again when they change, and at SIGHUP."""

import asyncio
import signal
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

LOOK_SECONDS: Final = 1.0


class _Stamp(NamedTuple):
    """What changes when a file does, also where another takes its name."""

    modified: int
    size: int
    inode: int


class Stamps:
    """Some files as they were when they were last looked at."""

    def __init__(self, paths: Iterable[Path | None]) -> None:
        self._paths = [path for path in paths if path is not None]
        self._seen = self._now()

    def have_changed(self) -> bool:
        """Tell whether one is another than at the last `note`."""
        return self._now() != self._seen

    def note(self) -> None:
        """Remember them as they are: before they are read, so that no change slips between."""
        self._seen = self._now()

    def _now(self) -> Sequence[_Stamp | None]:
        return [_stamp(path) for path in self._paths]


class Book(Protocol):
    """What one or more files say. Where a new file is broken, what was read before stays in force."""

    @property
    def stamps(self) -> Stamps:
        """The files."""
        ...

    def reload(self) -> None:
        """Read them again."""
        ...

    def problem(self) -> str | None:
        """Say why the files as they are now are not in force; None where they are."""
        ...


async def watch(*books: Book) -> None:
    """Reload each book whose files change, and all at SIGHUP; runs until cancelled."""
    loop = asyncio.get_running_loop()

    def reload_all() -> None:
        for book in books:
            book.reload()

    loop.add_signal_handler(signal.SIGHUP, reload_all)
    try:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for book in books:
                if book.stamps.have_changed():
                    book.reload()
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def _stamp(path: Path) -> _Stamp | None:
    """Return None where there is no file: one that is being replaced is there the next time."""
    try:
        told = path.stat()
    except OSError:
        return None
    return _Stamp(told.st_mtime_ns, told.st_size, told.st_ino)
