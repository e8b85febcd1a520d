from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.gateway.hl7v2.message import parse
from services.gateway.mllp.framing import Frame, Oversized
from services.gateway.profiles import without_file
from services.gateway.receiver import Receiver, UnansweredError
from shared.eventlog.errors import LogUnavailableError
from shared.events.inbound import Discharge, InboundEnvelope
from tests.unit.gateway.messages import PID, discharge, msh, referral, text


class Stored:
    """Where a receiver of these tests puts what it takes."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.messages: list[tuple[str, bytes, dict[str, str]]] = []
        self.fault = fault

    async def __call__(self, subject: str, payload: bytes, headers: dict[str, str]) -> int:
        if self.fault is not None:
            raise self.fault
        self.messages.append((subject, payload, headers))
        return len(self.messages)


async def answered(frame: Frame, stored: Stored, *, largest_payload: int = 1_000_000) -> tuple[str, str, str]:
    """Code, control id and error text of the answer."""
    receiver = Receiver(
        stored,
        profiles=lambda: without_file(ZoneInfo("America/New_York")),
        largest_message=1_000,
        largest_payload=lambda: largest_payload,
    )
    answer = await receiver.receive(frame)
    assert answer is not None
    message = parse(answer)
    return message.text("MSA", 1), message.text("MSA", 2), message.text("ERR", 8)


async def test_a_message_is_accepted_once_its_canonical_form_is_stored():
    stored = Stored()
    assert await answered(discharge(), stored) == ("AA", "LK-3", "")
    [(subject, payload, headers)] = stored.messages
    envelope = msgspec.json.decode(payload, type=InboundEnvelope)
    assert subject == "inbound.lakeadt-lakeside.adt"
    assert isinstance(envelope.data, Discharge)
    assert envelope.type == "throughcare.inbound.Discharge"
    assert UUID(headers["Nats-Msg-Id"]) == envelope.id


async def test_a_referral_has_a_subject_of_its_own():
    stored = Stored()
    await answered(referral(), stored)
    assert stored.messages[0][0] == "inbound.lakeadt-lakeside.referral"


async def test_only_the_same_sender_control_id_and_content_make_a_duplicate():
    stored = Stored()
    other_sender = discharge().replace(b"LAKEADT", b"LAKEADX")
    other_content = discharge().replace(b"A03", b"A13").replace(b"ADT_A13", b"ADT_A03")
    for raw in (discharge(), discharge(), discharge(control_id="LK-4"), other_sender, other_content):
        await answered(raw, stored)
    first, again, *others = [headers["Nats-Msg-Id"] for _, _, headers in stored.messages]
    assert first == again
    assert len({first, *others}) == 4


async def test_what_cannot_be_taken_is_refused_and_not_stored():
    stored = Stored()
    assert (await answered(b"", stored))[0] == "AR"
    assert (await answered(text(msh("ADT^A60"), PID), stored))[0] == "AR"
    assert (await answered(text(msh("ADT^A01")), stored))[0] == "AE"
    assert stored.messages == []


async def test_a_message_that_is_not_stored_is_never_accepted():
    code, control_id, error = await answered(discharge(), Stored(LogUnavailableError("away")))
    assert (code, control_id) == ("AE", "LK-3")
    assert error == "The message could not be stored now; please send it again later."


async def test_a_sender_that_listens_for_success_only_is_cut_off_when_its_message_is_not_stored():
    raw = text(msh("ADT^A01", accept="SU"), PID)
    with pytest.raises(UnansweredError):
        await answered(raw, Stored(LogUnavailableError("away")))


async def test_a_fault_of_ours_is_answered_and_logged_without_the_message():
    with capture_logs() as lines:
        code, _, error = await answered(discharge(), Stored(ValueError("Okafor")))
    assert (code, error) == ("AE", "The message could not be processed for a fault of the receiver.")
    assert lines[0]["error"] == "ValueError"
    assert "Okafor" not in str(lines)


async def test_a_message_longer_than_allowed_is_rejected_by_its_control_id():
    code, control_id, error = await answered(Oversized(discharge()[:200]), Stored())
    assert (code, control_id) == ("AR", "LK-3")
    assert error == "The message is longer than 1000 bytes."


async def test_a_message_that_the_log_would_never_take_is_rejected_and_not_put_off():
    stored = Stored()
    code, _, error = await answered(discharge(), stored, largest_payload=1_500)
    assert (code, error) == ("AR", "The message is longer than 476 bytes.")
    assert stored.messages == []


@given(st.binary(max_size=300))
async def test_every_frame_is_answered(tail: bytes):
    stored = Stored()
    code, _, _ = await answered(b"MSH|^~\\&|A|B|||||" + tail, stored)
    assert code in {"AA", "AE", "AR", "CA", "CE", "CR"}
