"""Stays elsewhere, in whatever order their messages come; and death."""

from uuid import UUID

from msgspec.structs import replace

from services.timeline.read_models.care.state import CareState, Stay
from shared.events.base import EventData
from shared.events.encounter import (
    AdmissionCancelled,
    DeathNotified,
    DischargeCancelled,
    DischargeNotified,
    EncounterClass,
    InpatientAdmissionNotified,
    ReversalUnmatched,
    TransferNotified,
)
from shared.events.episode import CareClosedOnDeath
from shared.events.moment import before

HANDLES = (
    InpatientAdmissionNotified,
    TransferNotified,
    DischargeNotified,
    AdmissionCancelled,
    DischargeCancelled,
    DeathNotified,
    CareClosedOnDeath,
)


_Notice = (
    InpatientAdmissionNotified
    | TransferNotified
    | DischargeNotified
    | AdmissionCancelled
    | DischargeCancelled
    | ReversalUnmatched
)


def sender_of(event: _Notice) -> str:
    """Return who numbers the visit: the message's sender, or the facility where no message is named."""
    return event.facility if event.message is None else event.message.source


def evolve(state: CareState, event: EventData) -> CareState:
    """Open, move, close or take back a stay."""
    match event:
        case InpatientAdmissionNotified():
            return _with_stays(state, _admitted(state.stays, event))
        case TransferNotified():
            return _with_stays(state, [_transferred(stay, event) for stay in state.stays])
        case DischargeNotified():
            return _with_stays(state, _discharged(state.stays, event))
        case AdmissionCancelled(admission=id):
            return _with_stays(state, [left for stay in state.stays for left in _without_admission(stay, id)])
        case DischargeCancelled(discharge=id):
            return _with_stays(state, [left for stay in state.stays for left in _without_discharge(stay, id)])
        case DeathNotified(died=died) | CareClosedOnDeath(died=died):
            return replace(state, deceased=True, died=died or state.died, risks={}, risk_level=None)
        case _:
            return state


def _admitted(stays: list[Stay], event: InpatientAdmissionNotified) -> list[Stay]:
    """An admission told anew, or after its discharge, says more of a stay; it does not open another."""
    told = Stay(
        facility=event.facility,
        source=sender_of(event),
        visit_number=event.visit_number,
        encounter_class=event.encounter_class,
        admission=event.admission,
        admitted=event.admitted,
    )
    held = next((stay for stay in stays if _begins(told, stay)), None)
    if held is None:
        return [*stays, told]
    left = {"discharge": held.discharge, "discharged": held.discharged, "disposition": held.disposition}
    begun = replace(told, admitted=told.admitted or held.admitted, encounter_class=_known(told, held), **left)
    return [begun if stay is held else stay for stay in stays]


def _begins(told: Stay, stay: Stay) -> bool:
    """Tell whether an admission is the beginning of this stay."""
    if stay.admission is None:
        return _is_same_visit(stay, told)
    return stay.admission == told.admission


def _discharged(stays: list[Stay], event: DischargeNotified) -> list[Stay]:
    told = Stay(
        facility=event.facility,
        source=sender_of(event),
        visit_number=event.visit_number,
        encounter_class=event.encounter_class,
        admitted=event.admitted,
        discharge=event.discharge,
        discharged=event.discharged,
        disposition=event.disposition,
    )
    again = next((stay for stay in stays if stay.discharge == told.discharge), None)
    held = again or next((stay for stay in stays if _is_left(stay, told)), None)
    if held is None:
        return [*stays, told]
    closed = replace(
        told,
        admission=held.admission,
        admitted=told.admitted or held.admitted,
        encounter_class=_known(told, held),
        is_discharge_only=held.is_discharge_only,
    )
    return [closed if stay is held else stay for stay in stays]


def _known(told: Stay, held: Stay) -> EncounterClass:
    return held.encounter_class if told.encounter_class == "UNK" else told.encounter_class


def _is_same_visit(stay: Stay, told: Stay) -> bool:
    """A sender's visit numbers are unique; without one nothing tells two visits apart."""
    visit = (stay.source, stay.visit_number)
    return stay.visit_number is not None and visit == (told.source, told.visit_number)


def _is_left(stay: Stay, told: Stay) -> bool:
    """Tell whether a discharge ends this stay: the same visit, or without a number the open one there."""
    if stay.discharged is not None:
        return False
    if told.visit_number is None or stay.visit_number is None:
        return stay.source == told.source
    return _is_same_visit(stay, told)


def _transferred(stay: Stay, event: TransferNotified) -> Stay:
    told = Stay(facility=event.facility, source=sender_of(event), visit_number=event.visit_number)
    if event.encounter_class == "UNK" or not _is_left(stay, told):
        return stay
    return replace(stay, encounter_class=event.encounter_class)


def _without_admission(stay: Stay, admission: UUID) -> tuple[Stay, ...]:
    """What is left of a stay: its discharge stands until the hospital takes that back as well."""
    if stay.admission != admission:
        return (stay,)
    if stay.discharge is None:
        return ()
    return (replace(stay, admission=None, admitted=None, is_discharge_only=True),)


def _without_discharge(stay: Stay, discharge: UUID) -> tuple[Stay, ...]:
    """The person is still there, unless the stay's admission was taken back before."""
    if stay.discharge != discharge:
        return (stay,)
    if stay.is_discharge_only:
        return ()
    return (replace(stay, discharge=None, discharged=None, disposition=None),)


def _with_stays(state: CareState, stays: list[Stay]) -> CareState:
    current = next((stay for stay in reversed(stays) if stay.is_current), None)
    last = _last_discharged(stays)
    return replace(
        state,
        stays=stays,
        inpatient_facility=current and current.facility,
        inpatient_since=current and current.admitted,
        last_discharge=last and last.discharged,
        last_discharge_facility=last and last.facility,
        last_disposition=last and last.disposition,
    )


def _last_discharged(stays: list[Stay]) -> Stay | None:
    last: Stay | None = None
    for stay in stays:
        if stay.discharged is None:
            continue
        if last is None or last.discharged is None or not before(stay.discharged, last.discharged):
            last = stay
    return last
