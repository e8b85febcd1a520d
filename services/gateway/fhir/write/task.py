"""Task: what an initiator tells about a referral that it sent: withdrawn, or what we asked to know."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal, cast

import msgspec
from msgspec import Struct

from services.gateway.fhir.outcome import FhirError, refused
from services.gateway.fhir.write.codes import words
from services.gateway.fhir.write.reading import decode
from services.gateway.fhir.write.resources import Said, Task, TaskChange
from services.gateway.fhir.write.submission import Submission
from shared.events.base import Identifier
from shared.events.inbound import Cancellation, Information, Person

_CANCELLED: Final = "cancelled"
_LISTS: Final = ("note", "input", "output")
_TELLING: Final = frozenset({"status", "statusReason", *_LISTS})
_BESIDE: Final = frozenset({"lastModified", "businessStatus", "meta", "resourceType", "id"})


class Step(Struct, frozen=True):
    """One operation of a JSON Patch (RFC 6902)."""

    op: Literal["add", "remove", "replace", "move", "copy", "test"]
    path: str
    value: Any = None


def change_of(task: Task) -> TaskChange:
    """Return what a whole Task may tell."""
    return TaskChange(
        status=task.status,
        status_reason=task.status_reason,
        note=task.note,
        input=task.input,
        output=task.output,
    )


def without(change: TaskChange, known: TaskChange) -> TaskChange:
    """Leave out what the Task said already when the sender read it."""
    return TaskChange(
        status=change.status,
        status_reason=change.status_reason,
        note=tuple(each for each in change.note if each not in known.note),
        input=tuple(each for each in change.input if each not in known.input),
        output=tuple(each for each in change.output if each not in known.output),
    )


def told(
    submission: Submission, change: TaskChange, placer: Identifier, person: Person, at: str
) -> Cancellation | Information:
    """Return what a Task says of the referral with this placer's number; raises FhirError 422."""
    sentences = list(_sentences(change))
    if change.status == _CANCELLED:
        return Cancellation(
            source=submission.source,
            person=person,
            occurred=submission.occurred,
            placer=placer,
            reason=words(change.status_reason) or "; ".join(sentences) or None,
            original=submission.original(),
        )
    if not sentences:
        sentence = (
            "Of a Task of a referral, status cancelled withdraws it, and input, output or note tells"
            " something; this one does neither."
        )
        raise refused(422, "business-rule", sentence, f"{at}.status")
    return Information(
        source=submission.source,
        person=person,
        occurred=submission.occurred,
        placer=placer,
        what="\n".join(sentences),
        original=submission.original(),
    )


def patched(raw: bytes, *, is_merge: bool) -> TaskChange:
    """Read a JSON Patch (RFC 6902) or a merge patch (RFC 7396) of a Task; raises FhirError."""
    if is_merge:
        return _merged(decode(raw, dict[str, msgspec.Raw], "Task"))
    document: dict[str, Any] = {}
    for number, step in enumerate(decode(raw, list[Step], "Patch")):
        if step.op == "test":
            continue  # what a step expects to be there is checked with If-Match
        if step.op not in ("add", "replace"):
            raise refused(
                422, "not-supported", "A Task is changed by add and replace.", f"Patch[{number}].op"
            )
        _put(document, step, f"Patch[{number}].path")
    return decode(msgspec.json.encode(document), TaskChange, "Task")


def _put(document: dict[str, Any], step: Step, at: str) -> None:
    name, _, rest = step.path.removeprefix("/").partition("/")
    if name in _BESIDE:
        return
    if name not in _TELLING or (rest and name not in _LISTS) or "/" in rest:
        raise _not_told(at)
    if rest:
        cast("list[Any]", document.setdefault(name, [])).append(step.value)
    else:
        document[name] = step.value


def _merged(document: dict[str, msgspec.Raw]) -> TaskChange:
    unknown = sorted(document.keys() - _TELLING - _BESIDE)
    if unknown:
        raise _not_told("Task")
    told = {name: value for name, value in document.items() if name in _TELLING}
    return decode(msgspec.json.encode(told), TaskChange, "Task")


def _not_told(at: str) -> FhirError:
    sentence = "A sender changes status, statusReason, note, input and output of a Task, nothing else."
    return refused(422, "business-rule", sentence, at)


def _sentences(change: TaskChange) -> Iterator[str]:
    yield from _said(change.input)
    yield from _said(change.output)
    yield from (each.text for each in change.note if each.text.strip())


def _said(told: Iterable[Said]) -> Iterator[str]:
    for each in told:
        value = _value(each)
        if value:
            name = words(each.type)
            yield f"{name}: {value}" if name else value


def _value(told: Said) -> str | None:
    texts = (
        told.value_string,
        told.value_markdown,
        told.value_code,
        told.value_uri,
        told.value_url,
        told.value_date,
        told.value_date_time,
        words(told.value_codeable_concept),
        told.value_attachment and (told.value_attachment.title or told.value_attachment.url),
        told.value_reference and (told.value_reference.display or told.value_reference.reference),
    )
    if text := next(filter(None, texts), None):
        return text
    if told.value_boolean is not None:
        return "yes" if told.value_boolean else "no"
    number = told.value_integer if told.value_integer is not None else told.value_decimal
    return None if number is None else f"{number:g}"
