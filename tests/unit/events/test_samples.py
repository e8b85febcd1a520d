"""Every version of every event is stored as a sample that the one decode function reads for ever."""

import json
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator

from shared.events import schemas
from shared.events.base import EventData
from shared.events.registry import REGISTRY, encode
from tests.unit.events.json_schema import problems

TYPES = sorted(REGISTRY.types.items())
SAMPLES = sorted(schemas.SAMPLES.glob("*.json"))


@pytest.mark.parametrize(("name", "cls"), TYPES, ids=[name for name, _ in TYPES])
def test_every_version_of_an_event_has_a_golden_schema_and_a_stored_sample(name: str, cls: type[EventData]):
    for version in range(1, cls.version + 1):
        assert (schemas.GOLDEN / f"{name}.v{version}.json").exists()
        assert (schemas.SAMPLES / f"{name}.v{version}.json").exists()


@pytest.mark.parametrize("path", SAMPLES, ids=[path.stem for path in SAMPLES])
def test_a_stored_sample_decodes_to_its_type_and_back_to_the_same_message(path: Path):
    stored = path.read_bytes()
    event = REGISTRY.decode(stored)
    assert REGISTRY.type_of(event.data) == event.type == path.stem.rpartition(".v")[0]
    assert REGISTRY.decode(encode(event)) == event
    if event.dataschema.endswith(f":{type(event.data).version}"):
        # msgspec leaves out a text only if it is the default's very object; written or not, it means the same
        encoded, as_stored = json.loads(encode(event)), json.loads(stored)
        assert encoded.pop("data").items() <= as_stored.pop("data").items()
        assert encoded == as_stored


@pytest.mark.parametrize("path", SAMPLES, ids=[path.stem for path in SAMPLES])
def test_a_stored_sample_meets_the_golden_schema_of_its_version(path: Path):
    schema = json.loads((schemas.GOLDEN / path.name).read_bytes())
    Draft202012Validator.check_schema(schema)
    assert problems(schema, json.loads(path.read_bytes())["data"]) == []


def test_a_sample_says_something_of_most_that_an_event_can_say():
    """A property that no sample holds is one whose removal no sample would notice."""
    said: dict[type[EventData], set[str]] = {}
    for path in SAMPLES:
        message = json.loads(path.read_bytes())
        said.setdefault(REGISTRY.class_of(message["type"]), set()).update(message["data"])
    silent = {
        f"{cls.__name__}.{field.encode_name}"
        for cls, properties in said.items()
        for field in msgspec.structs.fields(cls)
        if field.encode_name not in properties
    }
    assert silent <= {
        "AssessmentCompleted.edition",  # left out as long as it is the default
        "AssessmentCompleted.complete",
        "AssessmentCompleted.message",
        "AssessmentCorrected.complete",
        "AssessmentCorrected.flags",
        "FamilyMemberInvolved.consent",
        "IntakeAppointmentRescheduled.site",
        "IntakeAppointmentScheduled.mode",
        "IntakeAppointmentScheduled.ongoing",
        "ReferralAmended.insurance",
        "ReferralAmended.referrer",
        "ReferralAmended.service_requested",
        "ReferralDuplicateDetected.rule",
    }
