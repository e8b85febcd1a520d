"""A change of meaning adds a version: messages of the version before are lifted when they are read.

The example: the first version of a check-in told how somebody felt as a word; the second tells it as a
number, and by which channel it was heard.
"""

import json
from typing import Any, ClassVar, Literal
from uuid import UUID

import pytest

from shared.events.base import EventData
from shared.events.registry import Category, Registry, UndecodableEventError, encode, schema_uri

NAME = "throughcare.aftercare.CheckInHeard"
WORDS = {"bad": 2, "so-so": 5, "good": 8}


class CheckInHeard(EventData, frozen=True, kw_only=True, omit_defaults=True):
    version: ClassVar[int] = 2

    check_in: UUID
    mood: int  # 0 to 10
    channel: Literal["phone", "text", "unknown"]


def word_to_number(data: dict[str, Any]) -> dict[str, Any]:
    """From 1 to 2: the channel of earlier check-ins was not asked."""
    feeling = data.pop("feeling")
    return {**data, "mood": WORDS[feeling], "channel": "unknown"}


REGISTRY = Registry(
    categories=(Category("aftercare", "aftercare", (CheckInHeard,)),),
    upcasters={(NAME, 1): word_to_number},
)

STORED_V1: dict[str, Any] = {
    "specversion": "1.0",
    "id": "01920000-0000-7000-8000-00000000aa01",
    "source": "/throughcare/aftercare",
    "type": NAME,
    "subject": "01920000-0000-7000-8000-000000000001",
    "time": "2026-06-12T10:00:00-04:00",
    "dataschema": schema_uri(NAME, 1),
    "datacontenttype": "application/json",
    "actor": "coordinator:7",
    "purpose": "TREAT",
    "correlationid": "01920000-0000-7000-8000-00000000aa02",
    "sensitivity": "MH",
    "data": {
        "event": "CheckInHeard",
        "check_in": "01920000-0000-7000-8000-00000000aa03",
        "feeling": "so-so",
    },
}


def as_bytes(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


def test_a_stored_message_of_the_first_version_is_read_as_the_second():
    event = REGISTRY.decode(as_bytes(STORED_V1))
    assert event.data == CheckInHeard(
        check_in=UUID("01920000-0000-7000-8000-00000000aa03"), mood=5, channel="unknown"
    )
    assert event.dataschema == schema_uri(NAME, 1), "What is stored says which version it was stored as."


def test_a_message_of_the_second_version_is_not_lifted():
    data = {
        "event": "CheckInHeard",
        "check_in": "01920000-0000-7000-8000-00000000aa03",
        "mood": 9,
        "channel": "text",
    }
    event = REGISTRY.decode(as_bytes({**STORED_V1, "dataschema": schema_uri(NAME, 2), "data": data}))
    assert event.data == CheckInHeard(
        check_in=UUID("01920000-0000-7000-8000-00000000aa03"), mood=9, channel="text"
    )
    assert REGISTRY.decode(encode(event)) == event


@pytest.mark.parametrize("version", [0, 3, 99])
def test_a_version_that_this_build_does_not_know_is_refused(version: int):
    with pytest.raises(UndecodableEventError, match="has no version"):
        REGISTRY.decode(as_bytes({**STORED_V1, "dataschema": schema_uri(NAME, version)}))


def test_a_schema_of_another_type_is_refused():
    other = schema_uri("throughcare.aftercare.SomethingElse", 1)
    with pytest.raises(UndecodableEventError, match="has no version"):
        REGISTRY.decode(as_bytes({**STORED_V1, "dataschema": other}))


def test_an_unknown_type_is_refused_by_name():
    with pytest.raises(UndecodableEventError, match=r"No event type is named throughcare\.x\.Y"):
        REGISTRY.decode(
            as_bytes({**STORED_V1, "type": "throughcare.x.Y", "dataschema": "urn:throughcare:x:1"})
        )


def test_a_schema_without_a_version_is_refused():
    with pytest.raises(UndecodableEventError, match="names no version"):
        REGISTRY.decode(as_bytes({**STORED_V1, "dataschema": "somewhere"}))


def test_a_message_of_the_current_version_with_older_data_is_refused_without_quoting_it():
    with pytest.raises(UndecodableEventError) as refused:
        REGISTRY.decode(as_bytes({**STORED_V1, "dataschema": schema_uri(NAME, 2)}))
    assert "so-so" not in str(refused.value)
