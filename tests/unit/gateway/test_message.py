import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.hl7v2.error import Condition, Hl7Error
from services.gateway.hl7v2.message import parse
from tests.unit.gateway.messages import PID, discharge, msh, text


def test_parts_are_found_by_their_hl7_numbers():
    message = parse(discharge())
    assert message.kind == ("ADT", "A03")
    assert message.control_id == "LK-3"
    assert message.text("MSH", 1) == "|"
    assert message.text("MSH", 2) == "^~\\&"
    assert message.text("PID", 5, 2) == "Ngozi"
    assert [diagnosis.text(3) for diagnosis in message.segments("DG1")] == ["F32.2", "F10.20"]
    assert [value.text(5) for value in message.segments("PID")[0].repetitions(3)] == ["MR", "SS"]


def test_what_is_not_there_reads_as_empty():
    message = parse(text(msh("ADT^A01")))
    assert message.segment("PV1") is None
    assert message.text("PV1", 19) == ""
    assert message.text("MSH", 60) == ""
    assert message.text("MSH", 9, 7) == ""
    assert message.segments("ZZZ") == ()


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\n\r", "\r\r\n"])
def test_any_line_end_will_do(end: str):
    message = parse(text(msh("ADT^A01"), PID, "ZPV|x", end=end))
    assert [segment.name for segment in message] == ["MSH", "PID", "ZPV"]
    assert message.warnings == []


def test_mixed_line_ends_and_none_at_the_end():
    raw = f"{msh('ADT^A01')}\r{PID}\nPV1|1|I\r\n\r\nZZ1|last".encode()
    assert [segment.name for segment in parse(raw)] == ["MSH", "PID", "PV1", "ZZ1"]


def test_other_delimiters_are_taken_from_the_header():
    message = parse(b"MSH*%!?$*APP*FAC****A$B*ADT%A01*9*P*2.5\rPID*1**7%%%H!8%%%K**Doe?S?X%Jo?F?e$sub\r")
    assert message.kind == ("ADT", "A01")
    assert message.text("PID", 5) == "Doe%X"
    assert message.text("PID", 5, 2) == "Jo*e"
    assert message.text("PID", 5, 2, 2) == "sub"
    assert message.segments("PID")[0].field(3, 2).text(4) == "K"


def test_an_explicit_null_is_not_an_absent_value():
    pid = parse(text(msh("ADT^A08"), 'PID|1|""|7||Doe^""')).segments("PID")[0]
    assert pid.field(2).is_null
    assert pid.text(2) == ""
    assert not pid.field(9).is_null
    assert pid.field(5).component(2).is_null
    assert pid.text(5, 2) == ""


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", "a|b^c&d~e\\f"),
        (r"\E\F\E\ is not \F\\", "\\F\\ is not |\\"),
        (r"line\.br\line\.sp2\far", "line\nline\n\nfar"),
        (r"\.in+4\indented\.fi\\.ce\centre", "indented\ncentre"),
        (r"\H\loud\N\ plain", "loud plain"),
        (r"caf\XC3A9\ \X0D0A\.", "café \r\n."),
        (r"\Z99\ \C2842\ \M824041\ stay", r"\Z99\ \C2842\ \M824041\ stay"),
        (r"C:\temp\new", r"C:\temp\new"),
        (r"cut\P\ off", r"cut\P\ off"),
    ],
)
def test_escapes_are_resolved_and_unknown_ones_kept(written: str, meant: str):
    assert parse(text(msh("ADT^A01"), f"NTE|1||{written}")).text("NTE", 3) == meant


def test_from_2_7_a_fifth_encoding_character_marks_truncation():
    message = parse(b"MSH|^~\\&#|A|B|||||ADT^A01|1|P|2.7\rNTE|1||cut\\P\\\r")
    assert message.text("NTE", 3) == "cut#"


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b"", "MSH"),
        (b"\r\n  ", "MSH"),
        (b"PID|1||7", "MSH"),
        (b"MSH", "MSH"),
        (b"MSH|^~", "MSH-2"),
        (b"MSH|^~\\|APP", "MSH-2"),
        (b"MSH|^~\\&#@|APP", "MSH-2"),
        (b"MSH|^^\\&|APP", "MSH-2"),
        (b"MSH|^~\\||APP", "MSH-2"),
        (b"MSH|^~\\A|APP", "MSH-2"),
        (b"MSHX^~\\&X", "MSH-2"),
    ],
)
def test_a_header_that_cannot_be_used_is_rejected_by_name(raw: bytes, place: str):
    with pytest.raises(Hl7Error) as refusal:
        parse(raw)
    assert str(refusal.value.place) == place
    assert refusal.value.rejects


def test_blank_lines_and_a_byte_order_mark_before_the_header_are_forgiven():
    assert parse(b"\r\n\xef\xbb\xbf" + discharge()).control_id == "LK-3"


def test_a_line_that_starts_no_segment_belongs_to_the_one_before():
    message = parse(text(msh("ADT^A01"), "NTE|1||first line", "second line", "PID|1||7"))
    assert message.text("NTE", 3) == "first line\nsecond line"
    assert message.text("PID", 3) == "7"
    assert message.warnings == ["A line that starts no segment was read as part of the one before it."]


def test_without_a_declared_character_set_text_is_utf_8_else_latin_1_with_a_warning():
    name = "PID|1||7||Müller"
    assert parse(f"{msh('ADT^A01')}\r{name}".encode()).text("PID", 5) == "Müller"
    message = parse(f"{msh('ADT^A01')}\r{name}".encode("latin-1"))
    assert message.text("PID", 5) == "Müller"
    assert message.warnings == ["The text is not UTF-8 and was read as Latin-1."]


@pytest.mark.parametrize(
    ("declared", "codec", "warned"),
    [
        ("8859/1", "latin-1", False),
        ("8859/2", "iso8859-2", False),
        ("UNICODE UTF-8", "utf-8", False),
        ("8859/1~UNICODE", "latin-1", False),
        ("ASCII", "utf-8", False),
        ("KLINGON", "utf-8", True),
    ],
)
def test_msh_18_names_the_character_set(declared: str, codec: str, *, warned: bool):
    raw = f"{msh('ADT^A01')}||{declared}\rPID|1||7||Müller".encode(codec)
    message = parse(raw)
    assert message.text("PID", 5) == "Müller"
    assert bool(message.warnings) is warned


def test_zero_bytes_which_no_database_takes_are_replaced():
    message = parse(text(msh("ADT^A01"), "PID|1||7\0||Do\\X00\\e"))
    assert "\0" not in message.decoded
    assert "\0" not in message.text("PID", 5)
    assert message.warnings == ["Zero bytes, which no text has, were replaced."]


def test_a_refusal_never_quotes_the_message():
    with pytest.raises(Hl7Error) as refusal:
        parse(b"MSH|Ngozi|Okafor")
    assert "Okafor" not in str(refusal.value)
    assert refusal.value.condition is Condition.DATA_TYPE_ERROR


def _walk(raw: bytes) -> None:
    try:
        message = parse(raw)
    except Hl7Error:
        return
    for segment in message:
        for number in range(8):
            segment.text(number or 1, 2, 2)
            for repetition in segment.repetitions(number or 1):
                assert all(part.text() is not None for part in repetition.components)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_read_or_refused(raw: bytes):
    _walk(raw)


@given(st.text(alphabet='|^~\\&\r\nMSHPIDX019.FS"\0é', max_size=400), st.sampled_from(["utf-8", "latin-1"]))
def test_arbitrary_text_behind_a_header_is_read_or_refused(tail: str, codec: str):
    _walk(b"MSH|^~\\&|" + tail.encode(codec))
