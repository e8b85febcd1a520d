"""What a sender may publish itself, and what becomes of it."""

from typing import Any

import msgspec
import pytest

from shared.events.base import Demographics, Identifier
from shared.events.inbound import Original, Person, Referral
from shared.events.received import Published, UnreadableMessageError, published, received

SOURCE = "lakeside"
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


def read(told: dict[str, Any], source: str = SOURCE) -> Published:
    return published(source, msgspec.json.encode(told))


def refusal(told: dict[str, Any]) -> str:
    with pytest.raises(UnreadableMessageError) as caught:
        read(told)
    return str(caught.value)


def test_what_the_subject_and_the_envelope_say_is_filled_in():
    sent = "2026-03-01T10:00:00.123456-05:00"
    assert read(event()).message == Referral(
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


def test_what_is_said_again_in_the_data_is_taken_as_said_but_the_original_is_the_event():
    told = read(event(data=WHOLE)).message
    assert (told.occurred, told.original.format) == ("2026-02-27", "cloudevents")
    assert told.original.text == msgspec.json.encode(event(data=WHOLE)).decode()


def test_the_same_id_of_the_same_sender_is_the_same_message():
    assert read(event()).id == read(event(source="/elsewhere")).id
    assert read(event()).id != read(event(id="order-2")).id


def test_the_same_id_of_two_senders_is_two_messages():
    assert read(event()).id != read(event(), "hilltop").id


def test_a_sender_and_its_id_cannot_be_written_as_another_sender_and_another_id():
    assert read(event(id="b c"), "a").id != read(event(id="c"), "a-b").id


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"specversion": "0.3"}, "Invalid enum value - at `specversion`."),
        ({"id": ""}, "Expected `str` of length >= 1 - at `id`."),
        ({"id": None}, "Expected `str`, got `null` - at `id`."),
        ({"type": "com.example.Referral"}, "type is none of throughcare.inbound.Referral, "),
        ({"datacontenttype": "text/xml"}, "datacontenttype has to be application/json."),
        ({"time": "yesterday"}, "time is no RFC 3339 time."),
        ({"time": "2026-02-30T10:00:00Z"}, "time is no RFC 3339 time."),
        ({"time": None}, "Object missing required field `occurred`."),
        ({"data": None}, "Expected `object`, got `null` - at `data`."),
        ({"data": {"person": WHO}}, "Object missing required field `placer`."),
    ],
)
def test_what_is_not_of_the_contract_is_refused_with_its_place(changes: dict[str, Any], sentence: str):
    assert refusal(event(**changes)).startswith(sentence)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
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
        published(SOURCE, payload)
    with pytest.raises(UnreadableMessageError):
        received(payload)


def test_what_is_nested_without_end_is_refused():
    deep = b'{"specversion":"1.0","id":"1","source":"/","type":"throughcare.inbound.Referral","data":{"a":'
    with pytest.raises(UnreadableMessageError):
        published(SOURCE, deep + b"[" * 200_000 + b"]" * 200_000 + b"}}")
