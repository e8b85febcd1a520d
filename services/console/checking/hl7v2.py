"""The messages of a check in HL7 v2.5.1, as an interface engine would write them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from services.console.checking.case import ANSWERS, BORN, DIAGNOSIS, GIVEN, PROGRAM, Case
from services.console.checking.steps import Name
from shared.loinc import INSTRUMENTS

_PANEL: Final = INSTRUMENTS["PHQ-9"]
_LASTS: Final = timedelta(minutes=45)


def message(case: Case, name: Name) -> bytes:
    """Return the message of a step; its control id is made of the run and the step."""
    kind, write = _MESSAGES[name]
    return "".join(f"{segment}\r" for segment in (_msh(case, name, kind), *write(case))).encode()


def control_id(case: Case, name: Name) -> str:
    """Return MSH-10 of a step's message; 20 characters at most, as before v2.7."""
    return f"{case.run}-{list(_MESSAGES).index(name) + 1}"


def _msh(case: Case, name: Name, kind: str) -> str:
    return "|".join(
        [
            r"MSH|^~\&",
            case.application,
            case.facility,
            "THROUGHCARE",
            "IOP",
            _time(case.now),
            "",
            kind,
            control_id(case, name),
            case.processing,
            "2.5.1",
        ]
    )


def _referral(case: Case) -> Iterable[str]:
    return (
        _rf1(case, "R"),
        f"PRD|RP^Referring provider^HL70286|Example^Robin^^^^MD||^^^^^^^^{case.facility}||(555)555-0100",
        _pid(case),
        _dg1(),
    )


def _amendment(case: Case) -> Iterable[str]:
    return _rf1(case, "A"), _pid(case), _dg1()


def _cancelled_referral(case: Case) -> Iterable[str]:
    return f"{_rf1(case, '')}|||A check of the connection", _pid(case)


def _admission(case: Case) -> Iterable[str]:
    return _evn(case.admitted), _pid(case), _pv1(case), _dg1()


def _discharge(case: Case) -> Iterable[str]:
    return _evn(case.now), _pid(case), _pv1(case, disposition="01", discharged=_time(case.now)), _dg1()


def _cancelled_stay(case: Case) -> Iterable[str]:
    return _evn(case.now), _pid(case), _pv1(case)


def _appointment(case: Case) -> Iterable[str]:
    number = f"{case.appointment}^{case.assigner}"
    when = f"^^^{_time(case.booked)}^{_time(case.booked + _LASTS)}"
    return f"SCH|{number}|{number}|||||FU^Follow-up visit^L||||{when}", _pid(case)


def _result(case: Case) -> Iterable[str]:
    answers = zip(_PANEL.questions.values(), ANSWERS, strict=True)
    return (
        _pid(case),
        f"OBR|1|||{_PANEL.panel}^PHQ-9^LN|||{_time(case.now)}",
        *(f"OBX|{n}|NM|{code}^^LN||{value}||||||F" for n, (code, value) in enumerate(answers, 1)),
        f"OBX|{len(ANSWERS) + 1}|NM|{_PANEL.total}^^LN||{sum(ANSWERS)}||||||F",
    )


def _pid(case: Case) -> str:
    return f"PID|1||{case.number}^^^{case.assigner}^MR||{case.family}^{GIVEN}||{BORN:%Y%m%d}|F"


def _rf1(case: Case, priority: str) -> str:
    program = f"{PROGRAM[0]}^{PROGRAM[1]}^L"
    placer = f"{case.placer}^{case.assigner}"
    fields = {2: priority, 3: program, 6: placer, 7: _time(case.now), 9: _time(case.now)}
    return _segment("RF1", fields, 11)


def _pv1(case: Case, *, disposition: str = "", discharged: str = "") -> str:
    fields = {1: "1", 2: "I", 3: "BEH^101^1", 19: case.visit, 36: disposition, 44: _time(case.admitted)}
    return _segment("PV1", {**fields, 45: discharged}, 45)


def _dg1() -> str:
    return f"DG1|1||{DIAGNOSIS[0]}^{DIAGNOSIS[1]}^I10C|||W"


def _evn(when: datetime) -> str:
    return f"EVN||{_time(when)}"


def _segment(name: str, fields: Mapping[int, str], last: int) -> str:
    return "|".join((name, *(fields.get(number, "") for number in range(1, last + 1))))


def _time(when: datetime) -> str:
    return when.strftime("%Y%m%d%H%M%S%z")


_MESSAGES: Final[Mapping[Name, tuple[str, Callable[[Case], Iterable[str]]]]] = {
    "referral": ("REF^I12^REF_I12", _referral),
    "amendment": ("REF^I13^REF_I12", _amendment),
    "admission": ("ADT^A01^ADT_A01", _admission),
    "discharge": ("ADT^A03^ADT_A03", _discharge),
    "discharge reversed": ("ADT^A13^ADT_A01", _cancelled_stay),
    "appointment": ("SIU^S12^SIU_S12", _appointment),
    "result": ("ORU^R01^ORU_R01", _result),
    "appointment cancelled": ("SIU^S15^SIU_S12", _appointment),
    "admission cancelled": ("ADT^A11^ADT_A09", _cancelled_stay),
    "referral cancelled": ("REF^I14^REF_I12", _cancelled_referral),
}
