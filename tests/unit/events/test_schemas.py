"""The golden schemas stand for what is stored: a change that would not read it is refused."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest

from shared.events import schemas
from shared.events.base import EventData
from shared.events.referral import ReferralReceived
from shared.events.registry import REGISTRY, Category, Registry

Json = dict[str, Any]


def test_golden_files_are_those_of_the_code():
    assert schemas.outdated() == [], "Run `throughcare schema --write` and commit what changed."


def test_no_change_of_the_code_is_incompatible_with_its_golden_file():
    assert schemas.incompatible() == []


def test_no_event_type_was_removed():
    stored = {path.stem.rpartition(".v")[0] for path in schemas.GOLDEN.glob("*.json")}
    assert stored == set(REGISTRY.types)


def _removed(schema: Json) -> None:
    del schema["properties"]["source"]


def _renamed(schema: Json) -> None:
    schema["properties"]["urgency"] = schema["properties"].pop("priority")


def _retyped(schema: Json) -> None:
    schema["properties"]["documents"] = {"type": "string"}


def _newly_required(schema: Json) -> None:
    schema["required"].append("requested_on")


def _new_and_required(schema: Json) -> None:
    schema["properties"]["consent"] = {"type": "string"}
    schema["required"].append("consent")


def _fewer_values(schema: Json) -> None:
    schema["properties"]["source"]["enum"].remove("community")


def _never_null(schema: Json) -> None:
    schema["properties"]["requested_on"] = schema["properties"]["requested_on"]["anyOf"][0]


def _tighter_text(schema: Json) -> None:
    schema["properties"]["source"] = {"type": "string", "enum": ["hospital", "community", "self"]}
    schema["properties"]["documents"]["items"]["maxLength"] = 20


def _other_form(schema: Json) -> None:
    schema["properties"]["requested_on"]["anyOf"][0]["pattern"] = r"^\d{4}$"


def _no_more_others(schema: Json) -> None:
    schema["additionalProperties"] = False


def _other_default(schema: Json) -> None:
    schema["properties"]["priority"]["default"] = "urgent"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_removed, "data.source was removed or renamed."),
        (_renamed, "data.priority was removed or renamed."),
        (_retyped, "data.documents may no longer be of type array."),
        (_newly_required, "data.requested_on is newly required."),
        (_new_and_required, "data.consent is newly required."),
        (_fewer_values, 'data.source may no longer be "community".'),
        (_never_null, "data.requested_on may no longer be of type null."),
        (_tighter_text, "an item of data.documents has a tighter maxLength than before."),
        (_other_form, "data.requested_on has another pattern than before."),
        (_no_more_others, "data no longer takes other properties."),
        (_other_default, "data.priority has another default: what was left out would mean something else."),
    ],
)
def test_an_incompatible_change_is_refused_with_a_sentence(change: Callable[[Json], None], sentence: str):
    old = schemas.schema_of(ReferralReceived)
    new = copy.deepcopy(old)
    change(new["$defs"]["ReferralReceived"])
    assert sentence in schemas.compatible(old, new)


def test_a_change_deep_inside_a_shared_value_is_found():
    old = schemas.schema_of(ReferralReceived)
    new = copy.deepcopy(old)
    del new["$defs"]["Coding"]["properties"]["system"]
    assert schemas.compatible(old, new) == [
        "data.service_requested.system was removed or renamed.",
        "an item of data.reasons.system was removed or renamed.",
    ]


def test_a_new_optional_property_a_further_value_and_a_better_description_are_compatible():
    old = schemas.schema_of(ReferralReceived)
    new = copy.deepcopy(old)
    received = new["$defs"]["ReferralReceived"]
    received["properties"]["consent"] = {"type": "string", "default": "none"}
    received["properties"]["source"]["enum"].append("court")
    received["description"] = "Somebody asks for our help."
    assert schemas.compatible(old, new) == []


def test_a_property_that_was_optional_for_the_writer_and_becomes_nullable_is_compatible():
    old = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}
    new = {"type": "object", "properties": {"count": {"anyOf": [{"type": "number"}, {"type": "null"}]}}}
    assert schemas.compatible(old, new) == []
    assert schemas.compatible(new, old) == [
        "data.count may no longer be of type number.",
        "data.count may no longer be of type null.",
        "data.count is newly required.",
    ]


@pytest.mark.parametrize("name", sorted(REGISTRY.types))
def test_a_schema_is_compatible_with_itself(name: str):
    schema = schemas.schema_of(REGISTRY.class_of(name))
    assert schemas.compatible(schema, schema) == []


class Greeted(EventData, frozen=True, kw_only=True, omit_defaults=True):
    who: UUID
    tone: Literal["warm", "cool"] = "warm"


GREETINGS = Registry(categories=(Category("greeting", "hall", (Greeted,)),))


def test_golden_files_are_written_where_missing_and_left_alone_where_they_are_right(tmp_path: Path):
    assert [path.name for path in schemas.write_golden(tmp_path, GREETINGS)] == [
        "throughcare.hall.Greeted.v1.json"
    ]
    assert schemas.write_golden(tmp_path, GREETINGS) == []


def test_a_golden_file_is_never_replaced_by_an_incompatible_one(tmp_path: Path):
    (path,) = schemas.write_golden(tmp_path, GREETINGS)
    schema = json.loads(path.read_text())
    schema["$defs"]["Greeted"]["properties"]["where"] = {"type": "string"}
    stored = json.dumps(schema)
    path.write_text(stored)
    with pytest.raises(schemas.IncompatibleSchemaError, match=r"data\.where was removed or renamed"):
        schemas.write_golden(tmp_path, GREETINGS)
    assert path.read_text() == stored
