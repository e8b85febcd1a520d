import pytest

from shared.events.base import Identifier
from shared.events.inbound import AppointmentNotice
from tests.unit.gateway.messages import PID, msh, text
from tests.unit.gateway.translating import refusal_of, told, translated

SCH = "SCH|P-1|F-7^LAKESCHED||||CX^Weather^L|INT^Intake interview^L"
TQ1 = "TQ1|1||||||20260310090000-0400|20260310100000-0400"


def notice(*segments: str, trigger: str = "S12") -> AppointmentNotice:
    message = translated(text(msh(f"SIU^{trigger}^SIU_S12"), *segments))
    assert isinstance(message, AppointmentNotice)
    return message


@pytest.mark.parametrize(
    ("trigger", "status"),
    [
        ("S12", "booked"),
        ("S13", "rescheduled"),
        ("S14", "modified"),
        ("S15", "cancelled"),
        ("S26", "noshow"),
    ],
)
def test_the_trigger_tells_what_became_of_it(trigger: str, status: str):
    told = notice(SCH, TQ1, PID, trigger=trigger)
    assert told.status == status
    assert told.appointment == Identifier("LAKESCHED", "F-7", "FILL")
    assert (told.start, told.end) == ("2026-03-10T09:00:00-04:00", "2026-03-10T10:00:00-04:00")
    assert told.reason == ("Weather" if trigger in {"S15", "S26"} else "Intake interview")
    assert told.occurred == "2026-03-03T10:15:00-05:00"


def test_without_the_fillers_number_it_is_known_by_the_placers():
    assert notice("SCH|P-1", TQ1, PID).appointment == Identifier("LAKESIDE", "P-1", "PLAC")


def test_an_old_sender_has_its_times_in_sch_11():
    told = notice("SCH|P-1||||||||||^^^20260310090000-0400^20260310100000-0400", PID)
    assert (told.start, told.end) == ("2026-03-10T09:00:00-04:00", "2026-03-10T10:00:00-04:00")


@pytest.mark.parametrize(
    ("resource", "end"),
    [
        ("AIS|1|A|IOP|20260310090000-0400|||50|min", "2026-03-10T09:50:00-04:00"),
        ("AIP|1|A|Weiss|||20260310090000-0400|||2|HR", "2026-03-10T11:00:00-04:00"),
        ("AIL|1|A|3W||| 20260310090000-0400|||900|s", "2026-03-10T09:15:00-04:00"),
        ("AIS|1|A|IOP|20260310090000-0400|||50|fortnights", None),
        ("AIS|1|A|IOP|20260310090000-0400|||99999999999|min", None),
    ],
)
def test_without_times_of_its_own_it_lasts_as_long_as_what_is_booked(resource: str, end: str | None):
    told = notice("SCH|P-1", PID, "RGS|1", resource)
    assert (told.start, told.end) == ("2026-03-10T09:00:00-04:00", end)


def test_without_any_end_it_lasts_as_long_as_sch_9_says():
    told = notice("SCH|P-1||||||||90|M^Minutes^ISO+|^^^20260310090000-0400", PID)
    assert (told.start, told.end) == ("2026-03-10T09:00:00-04:00", "2026-03-10T10:30:00-04:00")
    booked = notice("SCH|P-1||||||||90|M|^^^20260310090000-0400", PID, "RGS|1", "AIS|1|A|IOP||||50|min")
    assert booked.end == "2026-03-10T09:50:00-04:00"


def test_an_end_before_its_start_is_left_out_with_a_warning():
    told = notice(SCH, "TQ1|1||||||20260310090000-0400|20260310080000-0400", PID)
    assert told.end is None
    assert told.original.warnings == ("The appointment ends before it starts; its end was left out.",)


def test_it_is_where_the_booked_room_is_else_where_the_visit_is():
    assert notice(SCH, TQ1, PID, "PV1|1|O|3W^301", "AIL|1|A|Clinic^7").location == "Clinic 7"
    assert notice(SCH, TQ1, PID, "PV1|1|O|3W^301").location == "3W 301"
    assert notice(SCH, TQ1, PID).location is None


def test_what_is_taken_off_an_appointment_tells_neither_its_time_nor_its_place():
    moved = notice(
        "SCH|P-1",
        PID,
        "RGS|1|U",
        "AIS|1|D|IOP|20260310090000-0400|||50|min",
        "AIS|2|A|IOP|20260310110000-0700|||50|min",
        "AIL|1|D|Clinic^7",
        "AIL|2|A|Clinic^8",
        trigger="S13",
    )
    assert (moved.start, moved.end) == ("2026-03-10T11:00:00-07:00", "2026-03-10T11:50:00-07:00")
    assert moved.location == "Clinic 8"


def test_a_group_appointment_is_one_for_each_patient():
    other = PID.replace("40071", "40072")
    messages = told(text(msh("SIU^S12"), SCH, TQ1, PID, other, "RGS|1", "AIL|1|A|Clinic^7"))
    assert [message.person.identifiers[0].value for message in messages] == ["40071", "40072"]
    assert [getattr(message, "location", None) for message in messages] == ["Clinic 7", "Clinic 7"]


def test_an_appointment_without_a_number_is_refused_by_name():
    assert str(refusal_of(text(msh("SIU^S12"), "SCH|", PID)).place) == "SCH-2"
    assert str(refusal_of(text(msh("SIU^S12"), PID)).place) == "SCH"
