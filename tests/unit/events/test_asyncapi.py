"""The AsyncAPI document is valid, complete, and says of every message what is really sent."""

import json
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast, get_args
from uuid import UUID

import msgspec
import pytest
from jsonschema import Draft202012Validator

from services.gateway.inbound import stored_as
from shared import asyncapi
from shared.asyncapi import senders
from shared.events import schemas
from shared.events.base import Identifier
from shared.events.inbound import InboundData, InboundMessage, Kind
from shared.events.outbound import (
    STATUS_TYPE,
    OutboundEnvelope,
    ReferralStatus,
    StatusEntry,
    StatusPage,
)
from shared.events.publication import PublishError, PublishRefusal
from shared.events.received import published, received
from shared.events.registry import REGISTRY
from tests.unit.events.json_schema import problems

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its models have fields named like what pydantic's base class had
    from asyncapi3.models.asyncapi import AsyncAPI3

Json = dict[str, Any]

STATUS = OutboundEnvelope(
    specversion="1.0",
    id=UUID(int=1),
    source="/throughcare/intake",
    type=STATUS_TYPE,
    time=datetime(2026, 3, 9, tzinfo=UTC),
    datacontenttype="application/json",
    data=ReferralStatus(
        referral=UUID(int=2),
        participant=UUID(int=3),
        placer=Identifier("LAKE", "R-1", "PLAC"),
        status="accepted",
        because="throughcare.intake.ReferralAccepted",
        at=datetime(2026, 3, 9, tzinfo=UTC),
    ),
)


@cache
def document() -> Json:
    return json.loads(json.dumps(asyncapi.document()))


def test_the_document_is_valid_asyncapi_3():
    AsyncAPI3.model_validate(document())


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [("operations", "action", "shout"), ("channels", "adress", "care"), ("components", "mesages", {})],
)
def test_the_validator_refuses_what_is_not_asyncapi(part: str, key: str, value: object):
    wrong = json.loads(json.dumps(asyncapi.document()))
    target = wrong[part] if part == "components" else next(iter(wrong[part].values()))
    target[key] = value
    with pytest.raises(ValueError, match=key):
        AsyncAPI3.model_validate(wrong)


def test_the_same_contract_gives_the_same_document_key_for_key():
    assert json.dumps(asyncapi.document()) == json.dumps(asyncapi.document())


def test_every_reference_leads_somewhere():
    for reference in _references(document()):
        target: Any = document()
        for part in reference.removeprefix("#/").split("/"):
            assert part in target, reference
            target = target[part]


def test_every_event_is_on_the_channel_of_its_category():
    for category in REGISTRY.categories:
        channel = document()["channels"][f"care-{category.name}"]
        assert channel["address"] == f"care.{{partition}}.{category.name}.{{entity}}"
        assert set(channel["messages"]) == {cls.__name__ for cls in category.types}


def test_every_command_has_a_channel_an_operation_and_an_answer():
    names = {cls.__name__ for cls in asyncapi.commands()}
    assert {"AcceptReferral", "Enrol", "RecordSessionAttended", "AttemptOutreach"} <= names
    assert not names & {"Command", "ParticipantCommand", "ReferralCommand", "CareCommand", "AftercareCommand"}
    for name in names:
        assert document()["operations"][f"answer-{name}"]["reply"]["channel"] == {
            "$ref": "#/channels/command-reply"
        }
    addresses = {channel["address"] for channel in document()["channels"].values()}
    assert {"command.intake.AcceptReferral", "command.care_plan.StepUp"} <= addresses
    assert set(document()["channels"]["command-reply"]["messages"]) == {
        "Appended",
        "Unchanged",
        "Refused",
        "Invalid",
        "Unavailable",
    }


@pytest.mark.parametrize("name", sorted(REGISTRY.types))
def test_a_stored_sample_meets_what_the_document_says_of_its_message(name: str):
    sample = json.loads((schemas.SAMPLES / schemas.file_name(REGISTRY.class_of(name))).read_bytes())
    assert _problems(name.removeprefix("throughcare.").replace(".", "-"), sample) == []


def test_a_message_of_another_type_does_not_meet_it():
    sample = json.loads((schemas.SAMPLES / "throughcare.intake.ReferralCompleted.v1.json").read_bytes())
    assert _problems("intake-ReferralDeclined", sample) != []


@pytest.mark.parametrize("name", sorted(document()["components"]["schemas"]))
def test_every_schema_is_a_json_schema(name: str):
    Draft202012Validator.check_schema(document()["components"]["schemas"][name])


def test_an_answer_meets_what_the_document_says_of_it():
    answer = {"answer": "appended", "position": [0, 17], "events": ["throughcare.intake.ReferralAccepted"]}
    assert _problems("answer-Appended", answer) == []
    assert _problems("answer-Appended", {"answer": "appended"}) != []


@pytest.mark.parametrize("cls", get_args(InboundMessage), ids=lambda cls: cls.__name__)
def test_every_message_of_a_sender_is_on_the_channel_of_its_kind_with_an_example_that_is_taken(
    cls: type[InboundData],
):
    channel = document()["channels"][f"inbound-{cls.kind}"]
    assert channel["address"] == f"inbound.{{source}}.{cls.kind}"
    assert channel["messages"][cls.__name__] == {"$ref": f"#/components/messages/inbound-{cls.__name__}"}
    [example] = document()["components"]["messages"][f"inbound-{cls.__name__}"]["examples"]
    assert _problems(f"inbound-{cls.__name__}", example["payload"]) == []
    payload = json.dumps(example["payload"]).encode()
    assert isinstance(published("lakeside-ehr", payload).message, cls)


def test_a_message_of_a_sender_that_leaves_out_what_it_must_say_does_not_meet_it():
    event = json.loads((senders.SAMPLES / "Referral.json").read_bytes())
    del event["data"]["placer"]
    assert _problems("inbound-Referral", event) != []


def test_what_the_gateway_stores_meets_it_too():
    told = published("lakeside-ehr", (senders.SAMPLES / "Referral.json").read_bytes())
    stored = stored_as(told.id, told.message, datetime.now(UTC)).payload
    assert _problems("inbound-Referral", json.loads(stored)) == []
    assert received(stored).data == told.message


def test_the_answer_to_a_publish_meets_what_the_document_says_of_it():
    refusal = PublishRefusal(PublishError(400, 20_400, "type is none of these."))
    assert _problems("publish-PublishAck", {"stream": "INBOUND", "seq": 17}) == []
    assert _problems("publish-PublishRefusal", json.loads(msgspec.json.encode(refusal))) == []
    assert _problems("publish-PublishRefusal", {"stream": "INBOUND", "seq": 17}) != []


def test_a_sender_signs_in_for_whatever_it_does():
    operations = document()["operations"]
    named = [operations[f"receive-inbound-{kind}"] for kind in get_args(Kind)]
    for operation in (*named, operations["send-status"], operations["answer-status"]):
        assert operation["security"] == [{"$ref": "#/components/securitySchemes/sender"}]


def test_a_page_of_statuses_meets_what_the_document_says_of_it():
    entry = StatusEntry(sequence=17, recorded=datetime.now(UTC), event=STATUS)
    page = json.loads(msgspec.json.encode(StatusPage(entries=(entry,))))
    assert _problems("status-StatusPage", page) == []
    assert _problems("outbound-ReferralStatus", page["entries"][0]["event"]) == []
    assert _problems("status-StatusPage", {"entries": [{"sequence": 17}]}) != []


def _problems(message: str, payload: Json) -> list[str]:
    schema = {
        **document()["components"]["messages"][message]["payload"],
        "components": document()["components"],
    }
    return problems(schema, payload)


def _references(value: object) -> Iterator[str]:
    match value:
        case dict():
            for key, inner in cast("Json", value).items():
                if key == "$ref":
                    yield inner
                yield from _references(inner)
        case list():
            for inner in cast("list[object]", value):
                yield from _references(inner)
        case _:
            return


def test_the_document_is_encodable_as_it_stands():
    assert msgspec.json.decode(msgspec.json.encode(asyncapi.document())) == document()
