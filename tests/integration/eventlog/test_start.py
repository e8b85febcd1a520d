"""A service whose start fails, because a server went away just then or is not as it has to be."""

import pytest
from nats.aio.client import Client

from shared.eventlog.runtime import open_runtime
from shared.process import Process
from shared.settings import Settings


async def start_in_vain(settings: Settings) -> None:
    async with Process("sample", settings) as process, open_runtime("sample", settings, process) as runtime:
        await runtime.broker.start()
        raise LookupError("It was away.")


async def test_it_is_not_blamed_on_the_connection_that_closes_then(
    nats: Client, settings: Settings, capsys: pytest.CaptureFixture[str]
):
    assert nats.is_connected
    with pytest.raises(LookupError, match="It was away"):
        await start_in_vain(settings)
    logged = capsys.readouterr().err
    assert "closed for good" not in logged
    assert '"event":"stopped"' in logged
