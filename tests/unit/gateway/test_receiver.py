from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.gateway.hl7v2.message import parse
from services.gateway.mllp.certificate import Certificate
from services.gateway.mllp.framing import Frame, Oversized
from services.gateway.profile_file import read
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


PROFILES = """\
profiles:
  lakeside:
    sender: {application: LAKEADT, facility: LAKESIDE}
    source: lake
    messages: [ADT]
"""


async def answered_under(
    profiles: str, raw: bytes, stored: Stored, certificate: Certificate | None = None
) -> tuple[str, str]:
    found = read(profiles, ZoneInfo("America/New_York"))
    receiver = Receiver(
        stored, profiles=lambda: found, largest_message=10_000, largest_payload=lambda: 1_000_000
    )
    receive = receiver.identified(certificate) if certificate else receiver.receive
    answer = await receive(raw)
    assert answer is not None
    message = parse(answer)
    return message.text("MSA", 1), f"{message.text('ERR', 2)}-{message.text('ERR', 2, 3)}"


async def test_a_sender_is_known_by_its_profiles_token():
    stored = Stored()
    assert (await answered_under(PROFILES, discharge(), stored))[0] == "AA"
    assert stored.messages[0][0] == "inbound.lake.adt"


async def test_a_sender_without_a_profile_is_rejected():
    stored = Stored()
    stranger = discharge().replace(b"LAKESIDE|TC", b"ELSEWHERE|TC")
    assert await answered_under(PROFILES, stranger, stored) == ("AR", "MSH-3")
    assert stored.messages == []


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("Hôpital \\T\\ Cie".encode(), "UNICODE UTF-8"),
        ("Hôpital \\T\\ Cie".encode("latin-1"), "8859/1"),
        ("Hôpital \\T\\ Cie".encode(), ""),
        ("Hôpital \\T\\ Cie".encode("latin-1"), ""),
        ("^Hôpital \\T\\ Cie^DNS".encode(), ""),
    ],
)
async def test_a_sender_whose_name_is_more_than_ascii_is_known_by_its_profile(name: bytes, declared: str):
    stored = Stored()
    raw = discharge().replace(b"LAKESIDE|TC", name + b"|TC", 1)
    header, _, rest = raw.partition(b"\r")
    raw = header + b"||" + declared.encode() + b"\r" + rest
    assert parse(raw).text("MSH", 18) == declared
    assert await answered_under(PROFILES.replace("LAKESIDE", "HÔPITAL & cie"), raw, stored) == ("AA", "-")
    assert stored.messages[0][0] == "inbound.lake.adt"


ENGINE = Certificate("0d" * 32, frozenset({"DNS:engine.lakeside.example"}))
STRANGER = Certificate("1e" * 32, frozenset({"DNS:engine.elsewhere.example"}))


@pytest.mark.parametrize(
    "named",
    [
        "DNS:Engine.Lakeside.example",
        "SHA256:" + ":".join(["0D"] * 32),
        "IP:192.0.2.7, DNS:engine.lakeside.example",
    ],
)
async def test_a_sender_whose_profile_names_certificates_is_believed_with_one_of_them_only(named: str):
    profiles = PROFILES + f"    certificates: [{named}]\n"
    for certificate, expected in (
        (ENGINE, ("AA", "-")),
        (STRANGER, ("AR", "MSH-3")),
        (None, ("AR", "MSH-3")),
    ):
        stored = Stored()
        assert await answered_under(profiles, discharge(), stored, certificate) == expected
        assert len(stored.messages) == (certificate is ENGINE)


async def test_a_sender_in_enhanced_mode_with_anothers_certificate_is_rejected_as_it_expects():
    raw = text(msh("ADT^A01", accept="AL"), PID)
    profiles = PROFILES + "    certificates: [DNS:engine.lakeside.example]\n"
    assert await answered_under(profiles, raw, Stored(), STRANGER) == ("CR", "MSH-3")


async def test_nobody_gets_the_token_of_another_senders_profile_by_its_names():
    profiles = "default: {production: false}\n" + PROFILES.replace(
        "source: lake", "source: lakeadt-elsewhere"
    )
    stored = Stored()
    stranger = discharge().replace(b"LAKESIDE|TC", b"ELSEWHERE|TC")
    assert await answered_under(profiles, stranger, stored) == ("AR", "MSH-3")
    assert stored.messages == []


async def test_a_message_type_that_is_not_agreed_is_rejected():
    assert await answered_under(PROFILES, referral(), Stored()) == ("AR", "MSH-9")


@pytest.mark.parametrize("processing", [b"T", b"D"])
async def test_a_test_message_to_a_production_profile_is_rejected(processing: bytes):
    raw = discharge().replace(b"|LK-3|P|", b"|LK-3|" + processing + b"|")
    assert await answered_under(PROFILES, raw, Stored()) == ("AR", "MSH-11")
    of_test = PROFILES + "    production: false\n"
    assert (await answered_under(of_test, raw, Stored()))[0] == "AA"


async def test_what_one_message_tells_of_two_patients_is_stored_as_two_with_ids_that_stay():
    stored = Stored()
    raw = text(msh("ADT^A40"), PID, "MRG|1", PID.replace("40071", "40072"), "MRG|2")
    for _ in range(2):
        assert (await answered(raw, stored))[0] == "AA"
    ids = [headers["Nats-Msg-Id"] for _, _, headers in stored.messages]
    assert len(set(ids)) == 2
    assert set(ids[:2]) == set(ids[2:])
