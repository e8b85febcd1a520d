from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.mllp.batch import read_messages, split_messages
from services.gateway.mllp.framing import framed
from tests.unit.gateway.messages import discharge, referral

ONE, TWO = discharge(), referral()


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_a_file_of_messages_is_cut_at_each_header(end: bytes):
    lines = [message.replace(b"\r", end) for message in (ONE, TWO)]
    assert list(split_messages(b"".join(lines))) == lines


def test_batch_wrappers_are_left_out():
    file = b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + ONE + TWO + b"BTS|2\rFTS|1\r"
    assert list(split_messages(file)) == [ONE, TWO]


def test_mllp_frames_in_a_file_are_taken_off():
    assert [message.rstrip() for message in split_messages(framed(ONE) + framed(TWO))] == [
        ONE.rstrip(),
        TWO.rstrip(),
    ]


def test_what_comes_before_the_first_header_is_not_passed_over():
    assert list(split_messages(b"PID|1\r" + ONE)) == [b"PID|1\r", ONE]


@pytest.mark.parametrize("content", [b"", b"PID|1||7\r", b"no message at all"])
def test_a_file_without_a_header_is_given_whole(content: bytes):
    assert list(split_messages(content)) == [content]


def test_a_large_file_is_read_piece_by_piece(tmp_path: Path):
    path = tmp_path / "large.hl7"
    long = discharge("NTE|1||" + "x" * 3_000_000)
    path.write_bytes(b"FHS|^~\\&|A\r\n" + (ONE + long + TWO).replace(b"\r", b"\r\n") + b"FTS|1\r\n")
    with path.open("rb") as file:
        found = [message.replace(b"\r\n", b"\r") for message in read_messages(file)]
    assert found == [ONE, long, TWO]


@given(st.lists(st.sampled_from([ONE, TWO, b"\r", b"BHS|x\r", b"NTE|1\r\n", b"MSH\r", b"\x0b", b"\x1c\r"])))
def test_nothing_of_a_file_is_lost(parts: list[bytes]):
    content = b"".join(parts)
    given_again = b"".join(split_messages(content))
    assert given_again.count(b"LK-3") == content.count(b"LK-3")
    assert given_again.count(b"NTE|1") == content.count(b"NTE|1")
