"""The HL7 v2 messages that the demo's hospital sends, as its interface engine would write them."""

from datetime import date, datetime
from typing import Final

from msgspec import Struct

APPLICATION: Final = "EHR"
FACILITY: Final = "GENERALHOSPITAL"
_DEPRESSION: Final = "F33.1^Major depressive disorder, recurrent, moderate^I10C"
_STEP_DOWN_PROGRAM: Final = "IOP^Intensive outpatient program^L"


class Patient(Struct, frozen=True, kw_only=True):
    """A made-up person: the name says what happens to them."""

    number: str  # the hospital's, unique
    given: str
    family: str
    birth_date: date
    sex: str  # F, M


class Stay(Struct, frozen=True, kw_only=True):
    """An inpatient stay; its visit number is what a cancellation is matched by."""

    visit_number: str
    admitted: datetime
    discharged: datetime | None = None


def referral(patient: Patient, *, control_id: str, placer: str, sent: datetime, priority: str = "R") -> bytes:
    """REF^I12: the hospital asks for the program. `priority` is of HL7 table 0280."""
    return _message(
        _msh("REF^I12^REF_I12", control_id, sent),
        f"RF1||{priority}|{_STEP_DOWN_PROGRAM}|||{placer}^{FACILITY}|{_time(sent)}||{_time(sent)}",
        f"PRD|RP^Referring provider^HL70286|Example^Robin^^^^MD|^^^^^^^^{FACILITY}||(555)555-0100",
        _pid(patient),
        f"DG1|1||{_DEPRESSION}|||W",
    )


def admission(patient: Patient, stay: Stay, *, control_id: str) -> bytes:
    """ADT^A01: admitted."""
    sent = stay.admitted
    return _message(
        _msh("ADT^A01^ADT_A01", control_id, sent),
        f"EVN|A01|{_time(sent)}",
        _pid(patient),
        _pv1(stay),
        f"DG1|1||{_DEPRESSION}|||A",
    )


def discharge(patient: Patient, stay: Stay, *, control_id: str) -> bytes:
    """ADT^A03: discharged home."""
    sent = stay.discharged or stay.admitted
    return _message(
        _msh("ADT^A03^ADT_A03", control_id, sent),
        f"EVN|A03|{_time(sent)}",
        _pid(patient),
        _pv1(stay),
        f"DG1|1||{_DEPRESSION}|||F",
    )


def cancelled_discharge(patient: Patient, stay: Stay, *, control_id: str, sent: datetime) -> bytes:
    """ADT^A13: the discharge did not happen."""
    return _message(
        _msh("ADT^A13^ADT_A01", control_id, sent),
        f"EVN|A13|{_time(sent)}",
        _pid(patient),
        _pv1(Stay(visit_number=stay.visit_number, admitted=stay.admitted)),
    )


def _msh(kind: str, control_id: str, sent: datetime) -> str:
    return (
        rf"MSH|^~\&|{APPLICATION}|{FACILITY}|THROUGHCARE|IOP|{_time(sent)}||{kind}|{control_id}|T|2.5.1"
        "||||||UNICODE UTF-8"
    )


def _pid(patient: Patient) -> str:
    born = patient.birth_date.strftime("%Y%m%d")
    return (
        f"PID|1||{patient.number}^^^{FACILITY}^MR||{patient.family}^{patient.given}||{born}|{patient.sex}"
        "|||1 Sample Street^^Exampletown^NY^00000^USA||(555)555-0123"
    )


def _pv1(stay: Stay) -> str:
    fields = {
        1: "1",
        2: "I",
        3: "BEH^101^1",
        19: stay.visit_number,
        36: "01" if stay.discharged else "",
        44: _time(stay.admitted),
        45: _time(stay.discharged) if stay.discharged else "",
    }
    return "PV1|" + "|".join(fields.get(number, "") for number in range(1, 46))


def _time(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%S%z")


def _message(*segments: str) -> bytes:
    return "".join(f"{segment}\r" for segment in segments).encode()
