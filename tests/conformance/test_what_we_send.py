"""Each HL7 v2 message that we send is valid for hl7apy, which knows HL7's structures and nothing of ours."""

from collections.abc import Iterator
from typing import Any, Final, Protocol, cast

import pytest
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message  # pyright: ignore[reportUnknownVariableType] -- it has no types
from msgspec.structs import replace

from services.gateway.hl7v2 import rri
from services.gateway.hl7v2.acknowledgement import accept, refuse
from services.gateway.hl7v2.error import Condition, Hl7Error, Place
from services.gateway.hl7v2.header import read_header
from shared.events.base import Demographics, Identifier
from shared.events.referral import Referrer
from tests.unit.gateway.test_rri import ANSWER

STATUSES: Final = (
    "draft",
    "received",
    "awaiting-information",
    "cancel-requested",
    "accepted",
    "waitlisted",
    "scheduled",
    "appointment-cancelled",
    "no-show",
    "visit-completed",
    "active",
    "completed",
    "rejected",
    "cancelled",
)
# From the one on whose MSH-9 names the structure: without it hl7apy does not know an ACK that has a trigger.
VERSIONS: Final = ("2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.1", "2.8.2")
MODES: Final = {"original": "", "enhanced": "|||AL|AL"}
OID: Final = "2.16.840.1.113883.19.5"


class _Message(Protocol):
    name: str
    version: str

    def validate(self) -> bool: ...


def validated(raw: bytes | None) -> tuple[str, str]:
    """Return its structure and version; raises HL7apyException where that version has no such message."""
    assert raw is not None
    message = cast("_Message", parse_message(raw.decode()))
    assert message.validate()
    return message.name, message.version


def answers() -> Iterator[Any]:
    for status in STATUSES:
        yield pytest.param(replace(ANSWER, status=status), id=status)
    for trigger in ("I13", "I14"):
        yield pytest.param(replace(ANSWER, trigger=trigger), id=trigger)
    changes: dict[str, dict[str, Any]] = {
        "words": {"reason": "No place | before ^ June.", "notice": "May not be passed on."},
        "hardly known": {
            "identifiers": (Identifier("THROUGHCARE", "0190d1e2", "PI"),),
            "demographics": Demographics(),
            "referrer": Referrer(),
            "answers": None,
        },
        "assigners that are OIDs": {
            "identifiers": (Identifier(OID, "40071", "MR"),),
            "placer": Identifier(OID, "R-5501", "PLAC"),
            "to": rri.Endpoint(application="A", facility="B", application_id=(OID, "ISO")),
        },
        "not ASCII": {"demographics": Demographics(family="M\u00fcller", given=("Zo\u00eb",))},
        "a day": {"since": "2026-03-04"},
    }
    for name, change in changes.items():
        yield pytest.param(replace(ANSWER, **change), id=name)


@pytest.mark.parametrize("answer", list(answers()))
def test_what_became_of_a_referral_is_a_valid_rri(answer: rri.Answer):
    assert validated(rri.build(answer)) == ("RRI_I12", "2.5.1")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("version", VERSIONS)
def test_an_acknowledgement_is_valid_in_the_version_of_the_message(version: str, mode: str):
    raw = f"MSH|^~\\&|LAKE|LAKEFAC|TC|IOP|20260304||ADT^A01|C1|P|{version}{MODES[mode]}\rPID|1\r"
    header = read_header(raw.encode())
    assert validated(accept(header)) == ("ACK", version)
    for condition in Condition:
        for place in (Place("PID", 3), Place("PID"), Place("DG1", 5, 2)):
            for rejects in (False, True):
                error = Hl7Error(condition, place, "What was expected.", rejects=rejects)
                assert validated(refuse(header, error)) == ("ACK", version)


def test_the_validator_sees_what_is_missing():
    told = rri.build(ANSWER).split(b"\r")
    for gone in (b"PID", b"PRD"):
        without = b"\r".join(line for line in told if not line.startswith(gone))
        with pytest.raises(HL7apyException):
            validated(without)
