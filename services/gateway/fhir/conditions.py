"""A search as SQL: what follows `where {visible}`. Values are always arguments, never text."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from services.gateway.fhir.dates import DateParameter, Prefix
from services.gateway.fhir.query import Cursor, How, Query
from services.gateway.fhir.served import Part

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


_DAY: Final = "((resource ->> 'birthDate')::date::timestamp at time zone 'UTC')"
_NEXT_DAY: Final = f"({_DAY} + interval '1 day')"
_BORN: Final[Mapping[Prefix, str]] = {
    "eq": f"({_DAY} >= {{start}} and {_NEXT_DAY} <= {{end}})",
    "ne": f"({_DAY} < {{start}} or {_NEXT_DAY} > {{end}})",
    "gt": f"({_NEXT_DAY} > {{end}} and {{start}} < {{end}})",
    "sa": f"({_DAY} >= {{end}} and {{start}} < {{end}})",
    "lt": f"({_DAY} < {{start}} and {{start}} < {{end}})",
    "eb": f"({_NEXT_DAY} <= {{start}} and {{start}} < {{end}})",
    "ge": f"({_DAY} >= {{start}} and {{start}} < {{end}})",
    "le": f"({_NEXT_DAY} <= {{end}} and {{start}} < {{end}})",
}
"""A day against the span of a value's precision (R4 search, 3.1.1.4.10)."""

_FAMILY: Final = "select family from json_to_recordset(resource -> 'name') as named(family text)"
_GIVEN: Final = (
    "select part from json_to_recordset(resource -> 'name') as named(given json),"
    " json_array_elements_text(given) as part"
)
_PARTS: Final[Mapping[Part, str]] = {
    "family": _FAMILY,
    "given": _GIVEN,
    "name": f"{_FAMILY} union all {_GIVEN}",
}
_PLAIN: Final = r"lower(regexp_replace(normalize({0}, NFKD), '[\u0300-\u036f]', '', 'g'))"
"""A text without its case and accents, by the same rules for what is held and what is asked."""
_HELD: Final = _PLAIN.format("held.part")
_ASKED: Final = _PLAIN.format("asked.part")
_HOW: Final[Mapping[How, str]] = {
    "begins": f"starts_with({_HELD}, {_ASKED}) and {_ASKED} <> ''",
    "contains": f"strpos({_HELD}, {_ASKED}) > 0 and {_ASKED} <> ''",
    "exact": "held.part = asked.part",
}
_NAMED: Final = (
    "exists (select from ({parts}) as held(part), unnest({{0}}::text[]) as asked(part) where {how})"
)


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
        self._each("resource -> 'businessStatus' -> 'coding' -> 0 ->> 'code' = any({0}::text[])", query.steps)
        self._each("resource ->> 'gender' = any({0}::text[])", query.genders)
        for text in query.names:
            self._each(_NAMED.format(parts=_PARTS[text.part], how=_HOW[text.how]), [text.values])
        for each in query.updated:
            self._when(_UPDATED, each)
        for each in query.born:
            self._when(_BORN, each)
        if before is not None:
            self._each("last_updated < {0}::timestamptz", [before])

    @property
    def text(self) -> str:
        """All conditions."""
        return "".join(f" and {part}" for part in self._parts)

    def page(
        self, after: Cursor | None, limit: int, *, newest_first: bool = False
    ) -> tuple[str, Sequence[object]]:
        """Return the conditions, order and limit of a page, with all arguments."""
        arguments, text = list(self.arguments), self.text
        behind, order = ("<", " desc") if newest_first else (">", "")
        if after is not None:
            text += f" and (last_updated, id) {behind} (${len(arguments) + 1}, ${len(arguments) + 2})"
            arguments += [after.last_updated, after.id]
        ordered = f"{text} order by last_updated{order}, id{order} limit ${len(arguments) + 1}"
        return ordered, [*arguments, limit]

    def _each(self, form: str, values: Sequence[object]) -> None:
        for value in values:
            self._parts.append(form.format(self._place(value)))

    def _when(self, forms: Mapping[Prefix, str], told: DateParameter) -> None:
        start, end = (f"{self._place(value)}::timestamptz" for value in told.span)
        self._parts.append(forms[told.prefix].format(start=start, end=end))

    def _place(self, value: object) -> str:
        self.arguments.append(value)
        return f"${len(self.arguments)}"
