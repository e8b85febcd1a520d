"""Resources drawn from events; each is read by an independent library's models of FHIR R4B."""

import json
import random
from collections.abc import Iterable
from datetime import date
from uuid import UUID

import pytest
from msgspec.structs import replace

from services.timeline.read_models.fhir_resource import FhirResource, fhir_resource
from shared.events import schemas
from shared.events.assessment import AssessmentCorrected
from shared.events.base import Coding, Demographics, EventData, Identifier, MessageReference
from shared.events.encounter import AppointmentNotified, DeathNotified, TransferNotified
from shared.events.episode import (
    CareClosedOnDeath,
    EpisodeCompleted,
    EpisodePaused,
    StepDownReversed,
    SteppedDown,
)
from shared.events.identity import IdentifierClaimed
from shared.events.moment import Moment
from shared.events.participant import (
    DemographicsCorrected,
    IdentifierLinked,
    ParticipantsMerged,
    ParticipantsUnmerged,
    PriorRecordLinked,
)
from shared.events.plan import GoalAbandoned, GoalProgressRecorded, GoalSet, RelapsePreventionPlanAgreed
from shared.events.referral import (
    InformationReceived,
    InformationRequested,
    IntakeAppointmentMissed,
    ReferralCancellationConfirmed,
    ReferralCancellationRequested,
    ReferralDeclined,
    ReferralOutcomeSent,
)
from shared.events.registry import REGISTRY
from shared.events.session import SessionAttended, SessionCancelled, SessionMissed
from tests.unit.timeline.facts import (
    APPOINTMENT,
    CSSRS,
    DISCHARGE,
    EPISODE,
    GAD7,
    GOAL,
    HOSPITAL,
    NEXT_SESSION,
    PHQ9,
    REFERRAL,
    SESSION,
    accepted,
    admission_cancelled,
    admitted,
    assessed,
    discharge_cancelled,
    discharged,
    id_of,
    intake_on,
    level_started,
    opened,
    received,
    registered,
    session_on,
)
from tests.unit.timeline.r4 import Json, expect_valid
from tests.unit.timeline.story import ROBIN, At, Story, on, story

MODEL = fhir_resource()
SAMPLES: list[EventData] = [
    REGISTRY.decode(path.read_bytes()).data
    for path in sorted(schemas.SAMPLES.glob("*.json"))
    if IdentifierClaimed.__name__ not in path.name
]
FROM = MessageReference(source="ehr-general", control_id="C-1", trigger="REF^I12", inbound_id="i-1")


def valid(row: FhirResource) -> Json:
    """Return the resource, once an independent reader has accepted it."""
    resource: Json = json.loads(row.resource)
    expect_valid(resource)
    assert resource["resourceType"] == row.type
    assert resource["meta"]["versionId"] == str(row.version)
    return resource


def drawn(told: Story) -> dict[tuple[str, UUID], Json]:
    return {(row.type, row.id): valid(row) for row in told.rows(MODEL)}


def one(told: Story, kind: str) -> Json:
    (found,) = (resource for (type_, _), resource in drawn(told).items() if type_ == kind)
    return found


def row(told: Story, kind: str) -> FhirResource:
    (found,) = (row for row in told.rows(MODEL) if row.type == kind)
    return found


def test_a_patient_has_names_contacts_and_every_identifier_with_its_assigner():
    patient = one(
        story(
            replace(registered(), identifiers=(Identifier("2.16.840.1.113883.4.1", "123", "SS"),)),
            IdentifierLinked(identifier=Identifier("General Hospital", "MRN-1")),
        ),
        "Patient",
    )
    assert patient["name"] == [{"family": "Sample", "given": ["Robin"]}]
    assert (patient["gender"], patient["birthDate"], patient["active"]) == ("female", "1990-04-17", True)
    assert patient["telecom"] == [{"system": "phone", "value": "+1-555-0100"}]
    assert [(each["system"], each["value"]) for each in patient["identifier"]] == [
        ("urn:oid:2.16.840.1.113883.4.1", "123"),
        ("urn:throughcare:assigner:General%20Hospital", "MRN-1"),
    ]
    assert patient["meta"] == {
        "versionId": "2",
        "lastUpdated": "2026-03-02T09:01:00.000000-05:00",
        "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "MH"}],
    }


def test_a_correction_that_changes_nothing_makes_no_version():
    same = DemographicsCorrected(demographics=registered().demographics)
    patient = row(story(registered(), same), "Patient")
    assert patient.version == 1


def test_a_language_that_is_no_code_is_told_in_words():
    told = Demographics(family="Sample", language="Spanish (Mexico)")
    patient = one(story(DemographicsCorrected(demographics=told)), "Patient")
    assert patient["communication"] == [{"language": {"text": "Spanish (Mexico)"}}]


@pytest.mark.parametrize(
    ("died", "told"),
    [("2026-03-04", {"deceasedDateTime": "2026-03-04"}), (None, {"deceasedBoolean": True})],
)
def test_a_death_is_told_as_precisely_as_it_is_known(died: Moment | None, told: Json):
    patient = one(story(registered(), DeathNotified(facility="General Hospital", died=died)), "Patient")
    assert {name: value for name, value in patient.items() if name.startswith("deceased")} == told


def test_a_merged_record_is_inactive_and_linked_until_the_merge_is_taken_back():
    other = id_of(0xEE)
    merged = ParticipantsMerged(survivor=other, prior=ROBIN)
    patient = row(story(registered(), merged), "Patient")
    assert valid(patient)["active"] is False
    assert valid(patient)["link"] == [{"other": {"reference": f"Patient/{other}"}, "type": "replaced-by"}]
    assert patient.replaced_by == other
    back = row(story(registered(), merged, ParticipantsUnmerged(survivor=other, prior=ROBIN)), "Patient")
    assert valid(back)["active"] is True
    assert "link" not in valid(back)
    assert back.replaced_by is None
    survivor = one(story(registered(), PriorRecordLinked(prior=other)), "Patient")
    assert survivor["link"][0]["type"] == "replaces"


def test_who_told_of_a_person_and_whose_number_they_carry_may_see_them():
    told = story(replace(registered(), message=FROM), IdentifierLinked(identifier=Identifier("clinic", "77")))
    assert set(row(told, "Patient").seen_by) == {"source:ehr-general", "assigner:clinic"}
    again = row(told.tell(replace(admitted(), message=FROM)), "Patient")
    assert set(again.seen_by) == {"source:ehr-general", "assigner:clinic"}
    assert again.version == 2


def test_a_referral_is_a_request_and_a_task_of_its_sender():
    asked = replace(
        received("urgent"),
        service_requested=Coding("snomed", "385989002", "Outpatient program"),
        reasons=(Coding("icd-10-cm", "F33.1", "Recurrent depression"), Coding("local", "x y")),
        message=FROM,
    )
    told = story(asked)
    request, task = one(told, "ServiceRequest"), one(told, "Task")
    assert (request["status"], request["intent"], request["priority"]) == ("active", "order", "urgent")
    assert request["code"]["coding"][0]["system"] == "http://snomed.info/sct"
    codes = [reason["coding"][0] for reason in request["reasonCode"]]
    assert (codes[0]["system"], codes[0]["code"]) == ("http://hl7.org/fhir/sid/icd-10-cm", "F33.1")
    assert codes[1]["system"] == "urn:throughcare:code-system:local"
    assert task["identifier"] == request["identifier"]
    assert task["for"] == request["subject"] == {"reference": f"Patient/{ROBIN}"}
    assert {each.sender for each in told.rows(MODEL) if each.type != "Patient"} == {"ehr-general"}


@pytest.mark.parametrize(
    ("events", "status", "business", "request_status"),
    [
        ((), "received", "received", "active"),
        ((accepted(),), "accepted", "accepted", "active"),
        ((accepted(), intake_on(on(5))), "accepted", "scheduled", "active"),
        ((ReferralDeclined(referral=REFERRAL, reason_code="full"),), "rejected", "rejected", "revoked"),
        (
            (accepted(), InformationRequested(referral=REFERRAL, what="Medication list")),
            "on-hold",
            "awaiting-information",
            "active",
        ),
        (
            (
                accepted(),
                InformationRequested(referral=REFERRAL, what="Medication list"),
                InformationReceived(referral=REFERRAL, what="…"),
            ),
            "accepted",
            "accepted",
            "active",
        ),
        ((ReferralCancellationRequested(referral=REFERRAL),), "on-hold", "cancel-requested", "active"),
        (
            (
                ReferralCancellationRequested(referral=REFERRAL),
                ReferralCancellationConfirmed(referral=REFERRAL),
            ),
            "cancelled",
            "cancelled",
            "revoked",
        ),
    ],
)
def test_the_harmonised_status_is_the_tasks_business_status(
    events: Iterable[EventData], status: str, business: str, request_status: str
):
    told = story(received(), *events)
    task = one(told, "Task")
    assert (task["status"], task["businessStatus"]["coding"][0]["code"]) == (status, business)
    assert one(told, "ServiceRequest")["status"] == request_status


def test_what_was_asked_and_the_outcome_stand_in_the_task():
    asked = story(received(), InformationRequested(referral=REFERRAL, what="Medication list"))
    assert one(asked, "Task")["statusReason"] == {"text": "Medication list"}
    done = one(story(received(), ReferralOutcomeSent(referral=REFERRAL, outcome="Completed")), "Task")
    assert done["output"] == [{"type": {"text": "outcome"}, "valueString": "Completed"}]
    due = one(story(received(), accepted(date(2026, 3, 9))), "Task")
    assert due["restriction"] == {"period": {"end": "2026-03-09"}}
    assert due["owner"] == {"display": "coordinator:7"}


def test_an_intake_appointment_belongs_to_the_referrals_sender():
    told = story(
        replace(received(), message=FROM),
        accepted(),
        intake_on(on(5)),
        IntakeAppointmentMissed(referral=REFERRAL, appointment=APPOINTMENT),
    )
    appointment = row(told, "Appointment")
    assert (appointment.sender, appointment.status, appointment.version) == ("ehr-general", "noshow", 2)
    assert valid(appointment)["basedOn"] == [{"reference": f"ServiceRequest/{REFERRAL}"}]


def test_an_appointment_elsewhere_is_its_senders_and_without_a_time_only_proposed():
    notice = AppointmentNotified(
        appointment=Identifier("general-hospital", "A-1"),
        status="booked",
        start="2026-03-05T09:00:00-05:00",
        end="2026-03-05T10:00:00-05:00",
        location="Clinic 2",
        message=FROM,
    )
    appointment = row(story(notice), "Appointment")
    assert (appointment.sender, appointment.status) == ("ehr-general", "booked")
    moved = story(notice, replace(notice, status="rescheduled", start="2026-03-06T09:00:00-05:00", end=None))
    assert row(moved, "Appointment").status == "proposed"  # its end is before its start: not to be told
    day = story(replace(notice, start="2026-03-05", end=None))
    assert row(day, "Appointment").status == "proposed"


def test_an_appointment_elsewhere_stands_as_its_latest_message_says_whichever_came_last():
    notice = AppointmentNotified(
        appointment=Identifier("general-hospital", "A-1"),
        status="booked",
        start="2026-03-05T09:00:00-05:00",
        end="2026-03-05T10:00:00-05:00",
        message=FROM,
    )
    booked = At(on(3, 12), notice, happened="2026-03-02T08:00:00-05:00")
    cancelled = At(on(3, 11), replace(notice, status="cancelled"), happened="2026-03-02T09:00:00-05:00")
    assert row(story(cancelled, booked), "Appointment").status == "cancelled"
    assert row(story(booked, cancelled), "Appointment").status == "cancelled"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-01T01:30:00-04:00", "2026-11-01T01:15:00-05:00"),  # 45 minutes, as the clocks go back
        ("2026-03-05T15:00:00Z", "2026-03-05T10:30:00-05:00"),
    ],
)
def test_an_appointments_ends_are_compared_as_instants_not_as_they_are_written(start: Moment, end: Moment):
    notice = AppointmentNotified(
        appointment=Identifier("general-hospital", "A-1"), status="booked", start=start, end=end, message=FROM
    )
    booked = one(story(notice), "Appointment")
    assert (booked["status"], booked["start"], booked["end"]) == ("booked", start, end)


def test_a_stays_ends_are_compared_as_instants():
    admission = replace(admitted(), admitted="2026-03-04T01:00:00Z")
    later = story(admission, discharged("2026-03-03T23:30:00-05:00"))
    assert one(later, "Encounter")["period"]["end"] == "2026-03-03T23:30:00-05:00"
    earlier = story(admission, discharged("2026-03-04T00:30:00Z"))
    assert one(earlier, "Encounter")["period"] == {"start": "2026-03-04T01:00:00Z"}  # invariant per-1


def test_a_stay_is_one_encounter_whatever_the_order_of_its_messages():
    for facts in ((admitted(), discharged()), (discharged(), admitted())):
        stay = one(story(*facts), "Encounter")
        assert (stay["status"], stay["class"]["code"]) == ("finished", "IMP")
        assert stay["period"] == {"start": "2026-02-20", "end": "2026-03-03"}
        assert stay["hospitalization"] == {"dischargeDisposition": {"text": "home"}}
        assert stay["identifier"][0]["value"] == "V-1"
        assert stay["serviceProvider"] == {"display": "General Hospital"}


def test_an_admission_told_again_keeps_what_is_known_of_the_stay():
    moved = TransferNotified(facility=HOSPITAL, visit_number="V-1", location="Ward 3")
    stay = one(story(admitted(), moved, replace(admitted(), admitted=None)), "Encounter")
    assert stay["location"] == [{"location": {"display": "Ward 3"}}]
    assert (stay["status"], stay["period"]) == ("in-progress", {"start": "2026-02-20"})
    back = one(story(admitted(), admission_cancelled(), admitted()), "Encounter")
    assert back["status"] == "in-progress"


def test_a_cancelled_discharge_leaves_the_stay_open_and_a_cancelled_admission_cancels_it():
    back = one(story(admitted(), discharged(), discharge_cancelled()), "Encounter")
    assert (back["status"], back["period"]) == ("in-progress", {"start": "2026-02-20"})
    assert "hospitalization" not in back
    assert one(story(admitted(), admission_cancelled()), "Encounter")["status"] == "cancelled"


def test_a_session_is_an_appointment_and_once_attended_an_encounter():
    told = story(session_on(on(11)), SessionAttended(session=SESSION, minutes=170, lead="clinician:3"))
    appointment, encounter = one(told, "Appointment"), one(told, "Encounter")
    assert (appointment["status"], encounter["status"]) == ("fulfilled", "finished")
    assert encounter["appointment"] == [{"reference": f"Appointment/{SESSION}"}]
    assert encounter["period"]["end"] == "2026-03-11T11:50:00-04:00"
    assert encounter["length"]["value"] == 170
    for event, status in (
        (SessionMissed(session=SESSION), "noshow"),
        (SessionCancelled(session=SESSION, by="program"), "cancelled"),
    ):
        assert one(story(session_on(on(11)), event), "Appointment")["status"] == status


@pytest.mark.parametrize(
    ("assessment", "panel", "total"),
    [
        (assessed(), "44249-1", "44261-6"),
        (assessed("GAD-7", assessment=GAD7), "69737-5", "70274-6"),
        (assessed("C-SSRS", assessment=CSSRS, total=None), "93373-9", "93373-9"),
    ],
)
def test_an_instrument_is_a_response_and_an_observation_in_loinc(
    assessment: EventData, panel: str, total: str
):
    told = story(assessment)
    response, observation = one(told, "QuestionnaireResponse"), one(told, "Observation")
    assert response["questionnaire"] == f"http://loinc.org/q/{panel}"
    assert observation["code"]["coding"] == [{"system": "http://loinc.org", "code": total}]
    assert observation["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]
    assert len(observation["component"]) == len(response["item"]) == 1
    assert observation["effectiveDateTime"] == response["authored"] == "2026-03-02"


def test_answers_are_loinc_codes_and_a_correction_amends_them():
    fixed = AssessmentCorrected(
        assessment=PHQ9,
        instrument="PHQ-9",
        items={"1": 3, "9": 0},
        reason="typo",
        total=3,
        severity="minimal",
    )
    told = story(assessed(), fixed)
    response, observation = one(told, "QuestionnaireResponse"), one(told, "Observation")
    assert (response["status"], observation["status"]) == ("amended", "amended")
    answers = {item["linkId"]: item["answer"][0]["valueCoding"]["code"] for item in response["item"]}
    assert answers == {"/44250-9": "LA6571-9", "/44260-8": "LA6568-5"}
    assert observation["valueInteger"] == 3
    assert observation["effectiveDateTime"] == "2026-03-02"


def test_an_incomplete_instrument_has_no_total_and_says_so():
    observation = one(story(assessed(complete=False)), "Observation")
    assert observation["status"] == "preliminary"
    assert "valueInteger" not in observation
    assert observation["dataAbsentReason"]["coding"][0]["code"] == "unknown"


def test_an_episode_has_its_level_and_a_reversed_step_down_gives_the_level_back():
    down = SteppedDown(
        episode=EPISODE, from_level="2.5", to_level="2.1", edition="3", at="2026-03-10", discharge=DISCHARGE
    )
    begun = (opened(), level_started("2.5"))
    episode = one(story(*begun, down), "EpisodeOfCare")
    assert (episode["status"], episode["period"]) == ("active", {"start": "2026-03-09"})
    assert episode["type"][1]["coding"] == [{"system": "urn:throughcare:code-system:asam-3", "code": "2.1"}]
    back = one(story(*begun, down, StepDownReversed(discharge=DISCHARGE, cause="A13")), "EpisodeOfCare")
    assert back["type"][1]["coding"][0]["code"] == "2.5"
    assert one(story(*begun, EpisodePaused(episode=EPISODE, reason="travel")), "EpisodeOfCare")["status"] == (
        "onhold"
    )
    done = story(*begun, EpisodeCompleted(episode=EPISODE, on=date(2026, 5, 1)))
    assert one(done, "EpisodeOfCare")["period"]["end"] == "2026-05-01"
    assert one(done, "CarePlan")["status"] == "completed"


def test_the_plan_has_its_goals_and_steps_but_neither_contacts_nor_warning_signs():
    told = story(
        opened(),
        GoalSet(goal=GOAL, description="Go to class", target=date(2026, 5, 1)),
        GoalProgressRecorded(goal=GOAL, achievement="improving", note="Went twice"),
        RelapsePreventionPlanAgreed(
            warning_signs=("SIGN",), action_steps=("Call the sponsor",), contacts=("CONTACT",)
        ),
    )
    plan, goal = one(told, "CarePlan"), one(told, "Goal")
    assert plan["goal"] == [{"reference": f"Goal/{GOAL}"}]
    assert plan["activity"][0]["detail"]["description"] == "Call the sponsor"
    assert "SIGN" not in str(plan)
    assert "CONTACT" not in str(plan)
    assert goal["achievementStatus"]["coding"][0]["code"] == "improving"
    assert goal["target"] == [{"dueDate": "2026-05-01"}]
    left = one(told.tell(GoalAbandoned(goal=GOAL, reason="moved")), "Goal")
    assert (left["lifecycleStatus"], left["statusReason"]) == ("cancelled", "moved")


def test_after_a_death_nothing_is_planned():
    told = story(
        opened(),
        GoalSet(goal=GOAL, description="Go to class"),
        session_on(on(11), NEXT_SESSION),
        CareClosedOnDeath(died="2026-03-10"),
    )
    assert one(told, "Appointment")["status"] == "cancelled"
    assert one(told, "Goal")["lifecycleStatus"] == "cancelled"
    assert one(told, "CarePlan")["status"] == "revoked"
    assert one(told, "EpisodeOfCare")["status"] == "finished"


def test_each_change_has_its_provenance_with_both_times_and_the_message():
    happened = At(on(3), replace(admitted(), message=FROM), "2026-02-20")
    source = one(story(happened), "Provenance")
    assert (source["occurredDateTime"], source["recorded"]) == ("2026-02-20", "2026-03-03T09:00:00-05:00")
    assert source["activity"]["coding"][0]["code"] == "InpatientAdmissionNotified"
    assert source["entity"][0]["what"]["identifier"]["value"] == "C-1"
    (target,) = source["target"]
    assert target["reference"].startswith("Encounter/")


def test_any_history_gives_valid_resources():
    for seed in range(20):
        chosen = random.Random(seed).choices(SAMPLES, k=60)  # noqa: S311 -- the same histories each time
        for each in story(*chosen).rows(MODEL):
            valid(each)
