from nats.errors import StaleConnectionError
from structlog.testing import capture_logs

from shared.eventlog.connection import options


async def test_while_the_server_is_away_each_reason_is_logged_once_and_not_at_every_attempt():
    report = options(name="test")["error_cb"]
    with capture_logs() as logged:
        for error in (OSError(), OSError(), OSError(), StaleConnectionError(), OSError()):
            await report(error)
    assert [line["reason"] for line in logged] == ["OSError", "nats: stale connection", "OSError"]
