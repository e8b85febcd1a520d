"""Why a message is not taken, said so that an interface engineer can act on it."""

from enum import IntEnum
from typing import NamedTuple


class Condition(IntEnum):
    """HL7 table 0357, message error condition codes."""

    SEGMENT_SEQUENCE_ERROR = 100
    REQUIRED_FIELD_MISSING = 101
    DATA_TYPE_ERROR = 102
    TABLE_VALUE_NOT_FOUND = 103
    VALUE_TOO_LONG = 104
    UNSUPPORTED_MESSAGE_TYPE = 200
    UNSUPPORTED_EVENT_CODE = 201
    UNSUPPORTED_PROCESSING_ID = 202
    UNSUPPORTED_VERSION_ID = 203
    APPLICATION_ERROR = 207

    @property
    def display(self) -> str:
        """The code in words."""
        return self.name.replace("_", " ").capitalize()


class Place(NamedTuple):
    """Where in a message: segment name, field (0: the whole segment), and which of its name (from 1)."""

    segment: str
    field: int = 0
    occurrence: int = 1

    def __str__(self) -> str:
        """Write it as engineers do: ``PID-3``, ``DG1(2)-5``, or ``PID`` for the whole segment."""
        segment = self.segment if self.occurrence == 1 else f"{self.segment}({self.occurrence})"
        return f"{segment}-{self.field}" if self.field else segment


class Hl7Error(Exception):
    """The message is refused.

    `sentence` says what was expected and never quotes the message, for it goes to logs as well. `rejects`
    is true where the same message can never be taken (AR or CR), false where its content is at fault or
    the fault is ours (AE or CE).
    """

    def __init__(self, condition: Condition, place: Place, sentence: str, *, rejects: bool = False) -> None:
        super().__init__(sentence)
        self.condition = condition
        self.place = place
        self.sentence = sentence
        self.rejects = rejects


def missing(segment: str, field: int, sentence: str) -> Hl7Error:
    """Build the refusal of a message without a required field (with field 0: segment)."""
    condition = Condition.REQUIRED_FIELD_MISSING if field else Condition.SEGMENT_SEQUENCE_ERROR
    return Hl7Error(condition, Place(segment, field), sentence)


def too_much(segment: str, field: int, sentence: str) -> Hl7Error:
    """Build the refusal of a message that would take more than its share of memory or time."""
    return Hl7Error(Condition.VALUE_TOO_LONG, Place(segment, field), sentence, rejects=True)
