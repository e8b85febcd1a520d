from datetime import UTC, date, datetime
from uuid import UUID

import msgspec
import pytest

from services.gateway.hl7v2.message import Message, parse
from services.gateway.hl7v2.rri import Answer, Endpoint, build, status_code
from services.gateway.mllp.framing import Decoder, framed
from shared.events.base import Demographics, Identifier
from shared.events.referral import Referrer

ANSWER = Answer(
    control_id="TC-71",
    answers="LK-9",
    at=datetime(2026, 3, 4, 9, 30, tzinfo=UTC),
    to=Endpoint(application="LAKEADT", facility="LAKESIDE"),
    referral=UUID("0190d1e2-0000-7000-8000-00000000002a"),
    placer=Identifier("LAKEREF", "R-5501", "PLAC"),
    status="scheduled",
    since="2026-03-04T04:30:00-05:00",
    identifiers=(Identifier("LAKESIDE", "40071"), Identifier("USSSA", "900-11-2222", "SS")),
    demographics=Demographics(
        family="Okafor", given=("Ngozi", "Ada"), birth_date=date(1991, 4, 12), sex="female"
    ),
    priority="urgent",
    referrer=Referrer(name="Miriam Weiss", organisation="Lakeside Behavioral Unit", phone="814-555-0111"),
)


def built(**changes: object) -> Message:
    return parse(build(msgspec.structs.replace(ANSWER, **changes)))


def test_it_names_the_message_that_it_answers_and_who_asked():
    message = built()
    assert message.kind == ("RRI", "I12")
    assert message.text("MSH", 9, 3) == "RRI_I12"
    assert (message.text("MSH", 5), message.text("MSH", 6)) == ("LAKEADT", "LAKESIDE")
    assert (message.text("MSA", 1), message.text("MSA", 2)) == ("AA", "LK-9")
    assert message.text("MSH", 7) == "20260304093000+0000"
    assert message.text("MSH", 18) == ""


def test_the_segments_stand_in_the_order_of_the_standard():
    names = [segment.name for segment in built(reason="No place before June.")]
    assert names == ["MSH", "MSA", "RF1", "PRD", "PRD", "PID", "NTE"]


def test_the_referral_has_both_numbers_and_its_exact_state_beside_the_code_of_the_table():
    rf1 = built().segment("RF1")
    assert rf1 is not None
    assert [rf1.text(1, part) for part in range(1, 7)] == [
        "A",
        "Accepted",
        "HL70283",
        "scheduled",
        "scheduled",
        "L",
    ]
    assert (rf1.text(2), rf1.text(7)) == ("A", "20260304043000-0500")
    assert (rf1.text(6), rf1.text(6, 2)) == ("R-5501", "LAKEREF")
    assert (rf1.text(11), rf1.text(11, 2)) == (str(ANSWER.referral), "THROUGHCARE")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("received", "P"),
        ("awaiting-information", "P"),
        ("cancel-requested", "P"),
        ("accepted", "A"),
        ("waitlisted", "A"),
        ("visit-completed", "A"),
        ("completed", "A"),
        ("rejected", "R"),
        ("cancelled", "E"),
    ],
)
def test_every_state_has_a_code_of_table_0283(status: str, code: str):
    assert status_code(status) == code
    assert built(status=status).text("RF1", 1, 4) == status


def test_a_state_that_no_table_has_is_an_error():
    with pytest.raises(KeyError):
        status_code("somewhere")


def test_the_patient_and_the_providers_are_named():
    message = built()
    pid = message.segment("PID")
    assert pid is not None
    assert [(each.text(1), each.text(4), each.text(5)) for each in pid.repetitions(3)] == [
        ("40071", "LAKESIDE", "MR"),
        ("900-11-2222", "USSSA", "SS"),
    ]
    assert [pid.text(5, part) for part in (1, 2, 3)] == ["Okafor", "Ngozi", "Ada"]
    assert (pid.text(7), pid.text(8)) == ("19910412", "F")
    referring, referred = message.segments("PRD")
    assert (referring.text(1), referring.text(2), referring.text(2, 2)) == ("RP", "Weiss", "Miriam")
    assert referring.text(4, 4) == "Lakeside Behavioral Unit"
    assert (referred.text(1), referred.text(4, 4)) == ("RT", "IOP")


def test_what_was_named_by_a_universal_id_is_named_by_it_again():
    oid = "2.16.840.1.113883.19.7"
    message = built(
        to=Endpoint(
            application="", facility="LAKE & SHORE", application_id=(oid, "ISO"), facility_id=("", "")
        ),
        placer=Identifier(oid, "R-5501", "PLAC"),
        identifiers=(Identifier(oid, "40071"),),
    )
    assert [message.text("MSH", 5, part) for part in (1, 2, 3)] == ["", oid, "ISO"]
    assert message.text("MSH", 6) == "LAKE & SHORE"
    assert [message.text("RF1", 6, part) for part in (1, 2, 3, 4)] == ["R-5501", "", oid, "ISO"]
    assert [message.text("PID", 3, 4, part) for part in (1, 2, 3)] == ["", oid, "ISO"]
    assert message.text("PID", 3, 5) == "MR"


def test_what_people_wrote_is_escaped_and_its_character_set_is_declared():
    message = built(
        reason="Declined: no beds | see R&D^2\nCall again", demographics=Demographics(family="Müller")
    )
    assert message.text("NTE", 3) == "Declined: no beds | see R&D^2\nCall again"
    assert message.text("PID", 5) == "Müller"
    assert message.text("MSH", 18) == "UNICODE UTF-8"
    assert [segment.name for segment in message].count("NTE") == 1


def test_no_text_ends_the_frame_or_begins_a_segment():
    hostile = "no beds\rPID|1||other\x1c\r\x0bMSH|\x00\x1c"
    answer = msgspec.structs.replace(
        ANSWER, reason=hostile, referrer=Referrer(name="Weiss\x1c", organisation=hostile)
    )
    [frame] = Decoder(1_000_000).feed(framed(build(answer)))
    assert isinstance(frame, bytes)
    assert frame == build(answer)
    message = parse(frame)
    assert [segment.name for segment in message] == ["MSH", "MSA", "RF1", "PRD", "PRD", "PID", "NTE"]
    assert message.text("NTE", 3) == hostile.replace("\r", "\n").replace("\0", "")


def test_a_patient_that_is_hardly_known_and_a_status_not_asked_for_are_told_too():
    message = built(
        answers=None,
        identifiers=(),
        demographics=Demographics(),
        referrer=Referrer(),
        since="2026-03-04",
        trigger="I14",
    )
    assert message.segment("MSA") is None
    assert message.kind == ("RRI", "I14")
    assert message.text("RF1", 7) == "20260304"
    assert message.segment("PID") is not None


def test_the_same_answer_gives_the_same_bytes():
    assert build(ANSWER) == build(ANSWER)
