"""A search as SQL: what follows `where {visible}`. Values are always arguments, never text."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from services.gateway.fhir.dates import DateParameter, Prefix
from services.gateway.fhir.query import Cursor, Query

_UPDATED: Final[Mapping[Prefix, str]] = {
    "eq": "(last_updated >= {start} and last_updated < {end})",
    "ne": "(last_updated < {start} or last_updated >= {end})",
    "gt": "(last_updated >= {end} and {start} < {end})",
    "sa": "(last_updated >= {end} and {start} < {end})",
    "lt": "(last_updated < {start} and {start} < {end})",
    "eb": "(last_updated < {start} and {start} < {end})",
    "ge": "(last_updated >= {start} and {start} < {end})",
    "le": "(last_updated < {end} and {start} < {end})",
}
"""An instant against the span of a value's precision. Both ends stand in each, for they are always given."""

_PATIENTS: Final = (
    "(participant = any({0}::uuid[]) or participant in"
    " (select id from read.fhir_resource where type = 'Patient' and replaced_by = any({0}::uuid[])))"
)
_PATIENT_IDENTIFIERS: Final = (
    "participant in (select id from read.fhir_resource"
    " where type = 'Patient' and identifiers && {0}::text[] and identifiers <> '{{}}')"
)
_IDENTIFIERS: Final = "(identifiers && {0}::text[] and identifiers <> '{{}}')"


class Conditions:
    """The text, which begins with `and` unless it is empty, and the arguments, the given ones first."""

    def __init__(self, query: Query, *given: object, before: datetime | None = None) -> None:
        """Take a search; with `before` it finds only what was last updated earlier."""
        self.arguments: list[object] = list(given)
        self._parts: list[str] = []
        self._each("id = any({0}::uuid[])", query.ids)
        self._each(_IDENTIFIERS, query.identifiers)
        self._each(_PATIENTS, query.patients)
        self._each(_PATIENT_IDENTIFIERS, query.patient_identifiers)
        self._each("status = any({0}::text[])", query.statuses)
        for each in query.updated:
            self._updated(each)
        if before is not None:
            self._each("last_updated < {0}::timestamptz", [before])

    @property
    def text(self) -> str:
        """All conditions."""
        return "".join(f" and {part}" for part in self._parts)

    def page(self, after: Cursor | None, limit: int) -> tuple[str, Sequence[object]]:
        """Return the conditions, order and limit of a page, with all arguments."""
        arguments, text = list(self.arguments), self.text
        if after is not None:
            text += f" and (last_updated, id) > (${len(arguments) + 1}, ${len(arguments) + 2})"
            arguments += [after.last_updated, after.id]
        return f"{text} order by last_updated, id limit ${len(arguments) + 1}", [*arguments, limit]

    def _each(self, form: str, values: Sequence[object]) -> None:
        for value in values:
            self._parts.append(form.format(self._place(value)))

    def _updated(self, told: DateParameter) -> None:
        start, end = (f"{self._place(value)}::timestamptz" for value in told.span)
        self._parts.append(_UPDATED[told.prefix].format(start=start, end=end))

    def _place(self, value: object) -> str:
        self.arguments.append(value)
        return f"${len(self.arguments)}"
