import shutil
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.e2e.deployment import Deployment


class Kept:
    """What the tests of a file share, as long as each leaves it sound: starting takes seconds."""

    def __init__(self) -> None:
        self._running: tuple[Deployment, Path] | None = None

    async def deployment(self) -> Deployment:
        if self._running is not None and self._running[0].is_sound:
            deployment, _ = self._running
        else:
            await self.stop()
            directory = Path(tempfile.mkdtemp(prefix="throughcare-"))
            deployment = await Deployment.start(directory)
            self._running = deployment, directory
        deployment.is_sound = False
        return deployment

    async def stop(self) -> None:
        if self._running is not None:
            deployment, directory = self._running
            self._running = None
            await deployment.stop()
            shutil.rmtree(directory)


@pytest.fixture(scope="module")
async def kept() -> AsyncGenerator[Kept]:
    kept = Kept()
    yield kept
    await kept.stop()


@pytest.fixture
async def deployment(kept: Kept) -> Deployment:
    """Throughcare as deployed, every service ready; it may hold what the file's earlier tests sent."""
    return await kept.deployment()
