"""What a sender may publish itself, and what becomes of it."""

from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from shared.events.base import Demographics, Identifier
from shared.events.inbound import InboundEnvelope, Original, Person, Referral
from shared.events.received import GATEWAY, UnreadableMessageError, received

SUBJECT = "native.lakeside.referral"
PLACER = {"assigner": "LAKE", "value": "R-1", "type": "PLAC"}
WHO: dict[str, object] = {"identifiers": [{"assigner": "LAKE", "value": "1234"}]}
WHOLE: dict[str, object] = {
    "message": "Referral",
    "source": "lakeside",
    "person": {**WHO, "demographics": {}},
    "placer": PLACER,
    "occurred": "2026-02-27",
    "original": {"format": "hl7v2", "text": "MSH|", "control_id": "7", "trigger": "REF^I12"},
}


def event(**changes: object) -> dict[str, Any]:
    """The shortest referral: what the subject and the envelope say is not said again."""
    return {
        "specversion": "1.0",
        "id": "order-1",
        "source": "https://lakeside.example/orders",
        "type": "throughcare.inbound.Referral",
        "time": "2026-03-01T10:00:00.123456789-05:00",
        "data": {"person": WHO, "placer": PLACER},
        **changes,
    }


def read(told: dict[str, Any], subject: str = SUBJECT) -> InboundEnvelope:
    return received(subject, msgspec.json.encode(told))


def refusal(told: dict[str, Any], subject: str = SUBJECT) -> str:
    with pytest.raises(UnreadableMessageError) as caught:
        read(told, subject)
    return str(caught.value)


def test_what_the_subject_and_the_envelope_say_is_filled_in():
    sent = "2026-03-01T10:00:00.123456-05:00"
    assert read(event()).data == Referral(
        source="lakeside",
        person=Person(identifiers=(Identifier("LAKE", "1234"),), demographics=Demographics()),
        placer=Identifier("LAKE", "R-1", "PLAC"),
        occurred=sent,
        original=Original(
            format="cloudevents",
            text=msgspec.json.encode(event()).decode(),
            control_id="order-1",
            trigger="throughcare.inbound.Referral",
            sent_at=sent,
        ),
    )


def test_what_is_said_again_in_the_data_is_taken_as_said():
    told = read(event(data=WHOLE)).data
    assert (told.occurred, told.original.trigger) == ("2026-02-27", "REF^I12")


def test_the_same_id_of_the_same_sender_is_the_same_message():
    assert read(event()).id == read(event(source="/elsewhere")).id
    assert read(event()).id != read(event(id="order-2")).id


def test_the_same_id_of_two_senders_is_two_messages():
    assert read(event()).id != read(event(), "native.hilltop.referral").id


def test_a_sender_and_its_id_cannot_be_written_as_another_sender_and_another_id():
    assert read(event(id="b c"), "native.a.referral").id != read(event(id="c"), "native.a-b.referral").id


def test_only_what_the_gateway_wrote_keeps_its_id():
    own = uuid4()
    told = event(id=str(own), source=GATEWAY, data=WHOLE, datacontenttype="application/json")
    assert read(told, "inbound.lakeside.referral").id == own
    pretended = read(told, SUBJECT).id
    assert pretended != own
    assert isinstance(pretended, UUID)


def test_without_accounts_a_sender_is_known_by_its_own_source():
    own = uuid4()
    told = event(id=str(own), data=WHOLE, datacontenttype="application/json")
    assert read(told, "inbound.lakeside.referral").id != own


@pytest.mark.parametrize(
    ("changes", "subject", "sentence"),
    [
        ({"specversion": "0.3"}, SUBJECT, "Invalid enum value - at `specversion`."),
        ({"id": ""}, SUBJECT, "Expected `str` of length >= 1 - at `id`."),
        ({"id": None}, SUBJECT, "Expected `str`, got `null` - at `id`."),
        ({"type": "com.example.Referral"}, SUBJECT, "type is none of throughcare.inbound.Referral, "),
        ({"datacontenttype": "text/xml"}, SUBJECT, "datacontenttype has to be application/json."),
        ({"time": "yesterday"}, SUBJECT, "time is no RFC 3339 time."),
        ({"time": "2026-02-30T10:00:00Z"}, SUBJECT, "time is no RFC 3339 time."),
        ({"time": None}, SUBJECT, "Object missing required field `occurred`."),
        ({"data": None}, SUBJECT, "Expected `object`, got `null` - at `data`."),
        ({"data": {"person": WHO}}, SUBJECT, "Object missing required field `placer`."),
        ({}, "native.lakeside.adt", "A Referral is of the kind referral; the subject ends otherwise."),
    ],
)
def test_what_is_not_of_the_contract_is_refused_with_its_place(
    changes: dict[str, Any], subject: str, sentence: str
):
    assert refusal(event(**changes), subject).startswith(sentence)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"source": "hilltop"}, "data.source names another sender than the subject."),
        ({"message": "Discharge"}, "Invalid value - at `data.message`."),
        ({"priority": "Ada's 'own' wish"}, "Invalid enum value - at `data.priority`."),
        ({"priority": "it's - at `home`"}, "Invalid enum value - at `data.priority`."),
        ({"requested_on": "2026-02-30"}, "data.requested_on is no day or time of the calendar."),
        ({"occurred": "0000-01-01"}, "data.occurred is no day or time of the calendar."),
        ({"documents": ["a\0b"]}, "data.documents holds the character NUL."),
        ({"documents": [{"Ada Lovelace": "a\0b"}]}, "data.documents. holds the character NUL."),
    ],
)
def test_what_the_data_may_not_hold_is_refused_without_saying_what_it_was(
    fields: dict[str, Any], sentence: str
):
    assert refusal(event(data={"person": WHO, "placer": PLACER, **fields})) == sentence


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff", b"MSH|^~\\&|", b"[]", b"null", b'{"id": "\\ud800"}', b'{"id": "x', b'{"data":' * 100_000],
)
def test_what_is_no_json_object_is_refused(payload: bytes):
    with pytest.raises(UnreadableMessageError):
        received(SUBJECT, payload)


def test_what_is_nested_without_end_is_refused():
    deep = b'{"specversion":"1.0","id":"1","source":"/","type":"throughcare.inbound.Referral","data":{"a":'
    with pytest.raises(UnreadableMessageError):
        received(SUBJECT, deep + b"[" * 200_000 + b"]" * 200_000 + b"}}")
