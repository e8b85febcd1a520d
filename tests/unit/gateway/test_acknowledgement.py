from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.hl7v2.acknowledgement import accept, refuse
from services.gateway.hl7v2.error import Condition, Hl7Error, Place, missing
from services.gateway.hl7v2.header import read_header
from services.gateway.hl7v2.message import Message, parse
from tests.unit.gateway.messages import msh

NOW = datetime(2026, 3, 3, 15, 15, 2, tzinfo=UTC)
NO_IDENTIFIER = missing("PID", 3, "PID-3 needs at least one patient identifier.")
UNSUPPORTED = Hl7Error(
    Condition.UNSUPPORTED_EVENT_CODE, Place("MSH", 9), "ADT^A99 is unsupported.", rejects=True
)


def read(answer: bytes | None) -> Message:
    assert answer is not None
    return parse(answer)


def accepted(**header: str) -> bytes | None:
    return accept(read_header(msh("ADT^A01^ADT_A01", **header).encode()), NOW)


def refused(error: Hl7Error, **header: str) -> bytes | None:
    return refuse(read_header(msh("ADT^A01^ADT_A01", **header).encode()), error, NOW)


def test_an_acceptance_goes_back_to_the_sender_with_its_control_id():
    answer = read(accepted())
    assert [answer.text("MSH", field) for field in (3, 4, 5, 6)] == ["TC", "IOP", "LAKEADT", "LAKESIDE"]
    assert [answer.text("MSH", 9, part) for part in (1, 2, 3)] == ["ACK", "A01", "ACK"]
    assert answer.text("MSH", 7) == "20260303151502+0000"
    assert answer.text("MSH", 11) == "P"
    assert answer.text("MSH", 12) == "2.5.1"
    assert (answer.text("MSA", 1), answer.text("MSA", 2)) == ("AA", "LK-1")
    assert answer.segment("ERR") is None


@pytest.mark.parametrize(("version", "parts"), [("2.2", 2), ("2.3", 2), ("2.3.1", 3), ("2.8", 3)])
def test_msh_9_names_the_structure_from_2_3_1_on(version: str, parts: int):
    answer = accepted(version=version)
    assert answer is not None
    assert answer.split(b"|")[8] == b"^".join((b"ACK", b"A01", b"ACK")[:parts])


def test_every_answer_has_a_control_id_of_its_own():
    assert read(accepted()).control_id != read(accepted()).control_id


def test_a_refusal_names_segment_and_field():
    answer = read(refused(NO_IDENTIFIER))
    err = answer.segments("ERR")[0]
    assert answer.text("MSA", 1) == "AE"
    assert [err.text(2, part) for part in (1, 2, 3)] == ["PID", "1", "3"]
    assert [err.text(3, part) for part in (1, 2, 3)] == ["101", "Required field missing", "HL70357"]
    assert err.text(4) == "E"
    assert err.text(8) == "PID-3 needs at least one patient identifier."


@pytest.mark.parametrize(
    ("version", "segment", "field", "length"), [("2.4", "MSA", 3, 80), ("2.5.1", "ERR", 8, 250)]
)
def test_a_sentence_is_cut_to_its_field_and_no_escape_in_two(
    version: str, segment: str, field: int, length: int
):
    long = Hl7Error(Condition.DATA_TYPE_ERROR, Place("PID", 3), "^" * 300)
    answer = refused(long, version=version)
    assert answer is not None
    line = next(each for each in answer.decode().split("\r") if each.startswith(segment))
    written = line.split("|")[field]
    assert length - 3 < len(written) <= length
    assert read(answer).text(segment, field).strip("^") in ("", "PID-3: ")


def test_what_can_never_be_taken_is_rejected():
    answer = read(refused(UNSUPPORTED))
    assert answer.text("MSA", 1) == "AR"
    assert answer.text("ERR", 8) == "ADT^A99 is unsupported."


def test_before_2_5_the_error_stands_in_err_1_and_the_text_in_msa_3():
    answer = read(refused(NO_IDENTIFIER, version="2.3"))
    assert [answer.text("ERR", 1, part) for part in (1, 2, 3)] == ["PID", "1", "3"]
    assert answer.text("ERR", 1, 4, 1) == "101"
    assert answer.text("MSA", 3) == "PID-3: PID-3 needs at least one patient identifier."


@pytest.mark.parametrize(
    ("accept_when", "apply_when", "on_acceptance", "on_refusal"),
    [
        ("", "", "AA", "AE"),
        ('""', '""', "AA", "AE"),
        ("AL", "", "CA", "CE"),
        ("", "AL", "CA", "CE"),
        ("AL", "NE", "CA", "CE"),
        ("ER", "NE", None, "CE"),
        ("SU", "NE", "CA", None),
        ("NE", "AL", None, "CE"),
        ("NE", "NE", None, "CE"),
    ],
)
def test_msh_15_and_16_choose_the_mode_and_what_is_said(
    accept_when: str, apply_when: str, on_acceptance: str | None, on_refusal: str | None
):
    answers = (
        accepted(accept=accept_when, apply=apply_when),
        refused(NO_IDENTIFIER, accept=accept_when, apply=apply_when),
    )
    said = [answer and parse(answer).text("MSA", 1) for answer in answers]
    assert said == [on_acceptance, on_refusal]


def test_an_answer_is_written_in_the_senders_delimiters_and_echoes_its_bytes():
    raw = "MSH*%!?$*APP*Krankenhaus Süd%1.2$3*TC*IOP***ADT%A01*A?F?9*P*2.5".encode("latin-1")
    answer = accept(read_header(raw), NOW)
    assert answer is not None
    assert answer.startswith(b"MSH*%!?$*TC*IOP*APP*Krankenhaus S\xfcd%1.2$3*")
    assert b"\rMSA*AA*A?F?9\r" in answer


@pytest.mark.parametrize(
    "raw", [b"", b"PID|1", b"MSH", b"MSH|^~", b"MSH|^~|APP|FAC|TC|IOP|||ADT^A01|M1|P|2.5", b"\xff\xfe"]
)
def test_what_cannot_be_read_is_still_answered(raw: bytes):
    answer = read(refuse(read_header(raw), UNSUPPORTED, NOW))
    assert answer.text("MSA", 1) == "AR"
    assert answer.text("MSA", 2) == ("M1" if b"M1" in raw else "")
    assert answer.text("MSH", 12).startswith("2.5")


@given(st.binary(max_size=200))
def test_every_answer_can_be_read(tail: bytes):
    answer = read(refuse(read_header(b"MSH|^~\\&|" + tail), UNSUPPORTED, NOW) or accepted())
    assert [segment.name for segment in answer][:2] == ["MSH", "MSA"]
