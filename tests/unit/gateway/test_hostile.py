"""Messages made to cost more than they say: each is answered within moments."""

import time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.hl7v2.acknowledgement import refuse
from services.gateway.hl7v2.error import Hl7Error
from services.gateway.hl7v2.header import read_header
from services.gateway.hl7v2.message import parse
from services.gateway.mllp.framing import Decoder, framed
from services.gateway.profiles import without_file
from services.gateway.receiver import Receiver
from tests.unit.gateway.messages import PID, PV1, discharge, msh, referral, text
from tests.unit.gateway.translating import told

SECONDS = 5.0  # of processor, of which other processes take none
SIZE = 4_000_000


def repeated(part: str) -> str:
    return part * (SIZE // len(part))


HOSTILE = {
    "lines that start no segment": discharge(repeated("x\n")),
    "segments without end": discharge(repeated("AAA\r")),
    "diagnoses": discharge(repeated("DG1|1||F32.2\r")),
    "identifiers": text(msh("ADT^A01"), "PID|1||" + repeated("7~")),
    "numbers to call": text(msh("ADT^A01"), "PID|1||7||||||||||" + repeated("1~")),
    "components": text(msh("ADT^A01"), "PID|1||" + repeated("7^")),
    "fields": text(msh("ADT^A01"), "PID" + repeated("|")),
    "escapes": text(msh("ADT^A01"), "PID|1||7||" + repeated("\\F\\")),
    "escapes that never end": text(msh("ADT^A01"), "PID|1||7||" + repeated("\\X0A")),
    "an escape of spaces": text(msh("ADT^A01"), "PID|1||7||\\.br" + repeated(" ")),
    "patients": text(msh("ADT^A40"), repeated(PID + "\rMRG|1\r")),
    "sittings": text(msh("ORU^R01"), PID, repeated("OBR|1|||44249-1|||2026\rOBX|1|NM|44250-9||1\r")),
    "one header of many patients": text(msh("ORU^R01"), "ZZZ|" + repeated("x"), *[PID] * 900),
    "a timestamp": text(msh("ADT^A01"), PID, PV1 + repeated("0")),
    "delimiters": b"MSH|" + b"^~\\&" * (SIZE // 4),
    "zeros": bytes(SIZE),
}


async def keep(subject: str, payload: bytes, headers: dict[str, str]) -> int:
    assert len(payload) < 3 * SIZE
    return 1


@pytest.mark.parametrize("name", HOSTILE)
async def test_it_is_answered_in_time(name: str):
    profiles = without_file(ZoneInfo("America/New_York"))
    receiver = Receiver(
        keep, profiles=lambda: profiles, largest_message=2 * SIZE, largest_payload=lambda: 32_000_000
    )
    began = time.process_time()
    answer = await receiver.receive(HOSTILE[name])
    assert time.process_time() - began < SECONDS
    assert answer is not None
    assert parse(answer).text("MSA", 1) in {"AA", "AE", "AR"}


def test_each_patient_of_a_message_is_told_without_the_others():
    other = PID.replace("40071", "40072").replace("Okafor", "Weiss")
    first, second = told(text(msh("ORU^R01"), PID, "OBR|1|||X^Y^L", other, "OBR|1|||X^Y^L"))
    assert "Weiss" not in first.original.text
    assert "Okafor" not in second.original.text


SEGMENTS = st.sampled_from(
    [
        PID,
        PV1,
        *discharge().decode().split("\r"),
        *referral().decode().split("\r"),
        "SCH|1|2",
        "TQ1|||||||20260310090000",
        "AIS|1|A|X|20260310090000|||5|min",
        "MRG|7^^^A",
        "OBR|1|||44249-1^PHQ-9^LN|||20260302",
        "OBX|1|NM|44260-8^Q^LN||2||||||F",
        "OBX|1|CWE|93246-7^Q^LN||LA33-6^Yes^LN||||||F",
        "EVN|A01|20260303",
        "NTE|1||x",
    ]
)
KINDS = st.sampled_from(
    [f"ADT^A{number:02}" for number in range(1, 45)]
    + ["REF^I12", "REF^I13", "REF^I14", "ORU^R01", "ORU^R03", "ACK", ""]
    + [f"SIU^S{number}" for number in range(12, 28)]
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Messages nearly right: segments of every kind, with a few characters changed."""
    lines = [msh(draw(KINDS)), *draw(st.lists(SEGMENTS, max_size=8))]
    whole = "\r".join(lines)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(whole)))
        whole = (
            whole[:at]
            + draw(st.text('|^~\\&\r\n"0129AMX.-+ é\0', max_size=3))
            + whole[at + draw(st.integers(0, 3)) :]
        )
    return whole.encode(draw(st.sampled_from(["utf-8", "latin-1"])))


@settings(max_examples=400, deadline=None)
@given(messages())
def test_every_message_is_translated_or_refused_by_its_place(raw: bytes):
    refusal: Hl7Error | None = None
    try:
        assert all(message.original.control_id for message in told(raw))
    except Hl7Error as error:
        refusal = error
    if refusal is not None:
        answer = refuse(read_header(raw), refusal)
        assert answer is not None
        assert parse(answer).text("MSA", 1) in {"AE", "AR", "CE", "CR"}
        assert refusal.sentence


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(messages().map(framed), st.binary(max_size=40)), max_size=6), st.data())
def test_whatever_the_frames_nothing_is_held_once_they_ended(parts: list[bytes], data: st.DataObject):
    stream = b"".join(parts) + b"\x1c\r"
    decoder = Decoder(10_000)
    frames = 0
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        frames += len(decoder.feed(stream[:size]))
        stream = stream[size:]
    assert not decoder.is_mid_message
    assert decoder.pending <= 1
    assert frames <= sum(part.count(b"\x0b") for part in parts)
