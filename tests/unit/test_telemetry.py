import io
import json
import logging
import sys
from uuid import UUID

import httpx
import pytest
import structlog

from shared import telemetry
from shared.events.base import Demographics
from shared.settings import Settings

SETTINGS = Settings(nats_url="nats://x", database_url="postgresql://x", identifier_key="0123456789abcdef")


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    telemetry.configure("intake", SETTINGS)
    return written


def logged(stderr: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stderr.getvalue().splitlines()]


def test_a_line_is_json_with_the_service_and_ids(stderr: io.StringIO):
    participant = UUID(int=7)
    structlog.get_logger().info("appended", participant=participant, sequence=3)
    (line,) = logged(stderr)
    assert line["service"] == "intake"
    assert (line["event"], line["participant"], line["sequence"]) == ("appended", str(participant), 3)
    assert line["level"] == "info"
    assert str(line["time"]).endswith("Z")


def test_a_value_with_a_person_in_it_is_written_as_its_type(stderr: io.StringIO):
    person = Demographics(family="Example", given=("Jane",))
    structlog.get_logger().info(
        "seen", who=person, body=b"PID|1", several=[person], more={"family": "Example"}
    )
    (line,) = logged(stderr)
    assert (line["who"], line["body"], line["several"]) == ("<Demographics>", "<bytes>", ["<Demographics>"])
    assert "Example" not in stderr.getvalue()


def test_an_exception_is_written_without_its_text(stderr: io.StringIO):
    try:
        int("Jane Example")
    except ValueError as error:
        structlog.get_logger().exception("failed")
        logging.getLogger("library").exception("a library failed")
        structlog.get_logger().error("failed", **telemetry.failure(error))
    ours, theirs, told = logged(stderr)
    assert ours["error"] == theirs["error"] == told["error"] == "ValueError"
    assert "test_telemetry.py" in str(ours["trace"])
    assert "test_telemetry.py" in str(told["raised_at"])
    assert "Jane" not in stderr.getvalue()


def test_a_library_s_line_is_ours_and_only_its_first(stderr: io.StringIO):
    logging.getLogger("library").warning("lost %s\nfuture: <Task exception=ValueError('Jane')>", "it")
    (line,) = logged(stderr)
    assert (line["event"], line["level"], line["service"]) == ("lost it", "warning", "intake")


def test_below_the_level_nothing_is_written(stderr: io.StringIO):
    logging.getLogger("library").debug("chatter")
    structlog.get_logger().debug("chatter")
    assert stderr.getvalue() == ""


async def test_no_line_tells_the_address_that_a_receiver_is_called_at(stderr: io.StringIO):
    answer = httpx.MockTransport(lambda _: httpx.Response(200))
    async with httpx.AsyncClient(transport=answer) as client:
        await client.post("https://hospital.example/told?key=secret")
    assert stderr.getvalue() == ""
