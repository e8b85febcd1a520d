"""An HL7 v2 message: segments, fields, repetitions, components and sub-components, split when asked for.

Numbers are HL7's: everything counts from 1, and MSH-1 is the separator itself.
"""

import re
from collections.abc import Iterator, Sequence

from services.gateway.hl7v2.charset import decode
from services.gateway.hl7v2.error import too_much
from services.gateway.hl7v2.escapes import Unescape, unescaper
from services.gateway.hl7v2.header import Delimiters, Header, read_delimiters, read_header, trimmed
from services.gateway.hl7v2.location import Location

NULL = '""'
"""HL7's explicit null: the value is to be deleted, which is not the same as not being sent."""

_SEGMENT_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_NAME = 3
_ENCODING_CHARACTERS = 2  # MSH-2: it and MSH-1 are literal, not split any further

# No message of a hospital comes near these; without them one could keep the gateway busy for minutes.
_MOST_SEGMENTS = 20_000
_MOST_REPETITIONS = 1_000
_MOST_PARTS = 1_000
_MOST_SHARED = 65_536  # characters that every part repeats

_WITH_SEPARATOR_FIELD = frozenset({"MSH", "BHS", "FHS"})


class Grammar:
    """How the text of one message is split and unescaped."""

    __slots__ = ("component", "escape", "field", "repetition", "subcomponent", "unescape")

    def __init__(self, delimiters: Delimiters, charset: str) -> None:
        """Take the delimiters of MSH-1 and MSH-2 and the codec of the text."""
        self.field = delimiters.field
        self.component = delimiters.component
        self.repetition = delimiters.repetition
        self.subcomponent = delimiters.subcomponent
        self.escape = delimiters.escape
        self.unescape: Unescape = unescaper(delimiters, charset)

    def part(self, repetition: str, component: int, subcomponent: int) -> str:
        """Return the unescaped value of one part of a repetition, empty where absent or null."""
        parts = repetition.split(self.component, component)
        text = parts[component - 1] if component <= len(parts) else ""
        if self.subcomponent in text:
            parts = text.split(self.subcomponent, subcomponent)
            text = parts[subcomponent - 1] if subcomponent <= len(parts) else ""
        elif subcomponent > 1:
            return ""
        return self.plain(text)

    def plain(self, text: str) -> str:
        """Resolve escapes; an explicit null reads as empty."""
        if self.escape in text:
            return self.unescape(text)
        return "" if text == NULL else text


class Composite:
    """One repetition of a field, or one component: its parts by number."""

    __slots__ = ("_grammar", "_parts", "_separator", "raw")

    def __init__(self, raw: str, separator: str, grammar: Grammar) -> None:
        """Take the escaped text and what separates its parts."""
        self.raw = raw
        self._separator = separator
        self._grammar = grammar
        self._parts: Sequence[str] | None = None

    def __bool__(self) -> bool:
        """Tell whether anything was sent here (a null was)."""
        return bool(self.raw)

    @property
    def is_null(self) -> bool:
        """Tell whether the sender asks for the value to be deleted."""
        return self.raw == NULL

    def text(self, component: int = 1, subcomponent: int = 1) -> str:
        """Return the unescaped value of a part, empty where absent or null."""
        part = self._part(component)
        separator = self._grammar.subcomponent
        if separator in part and self._separator != separator:
            parts = part.split(separator, subcomponent)
            part = parts[subcomponent - 1] if subcomponent <= len(parts) else ""
        elif subcomponent > 1:
            return ""
        return self._grammar.plain(part)

    def component(self, number: int) -> "Composite":
        """Return a component, its sub-components by number."""
        return Composite(self._part(number), self._grammar.subcomponent, self._grammar)

    @property
    def components(self) -> tuple["Composite", ...]:
        """All components, in order."""
        return tuple(self.component(number) for number in range(1, len(self._split()) + 1))

    def _part(self, number: int) -> str:
        parts = self._split()
        return parts[number - 1] if number <= len(parts) else ""

    def _split(self) -> Sequence[str]:
        if self._parts is None:
            self._parts = self.raw.split(self._separator)
        return self._parts


class Segment:
    """One segment, split into fields when first asked."""

    __slots__ = ("_fields", "_grammar", "line", "name", "occurrence")

    def __init__(self, line: str, occurrence: int, grammar: Grammar) -> None:
        """Take the segment's text without its line end, and which one of its name it is (from 1)."""
        self.line = line
        self.name = line[:_NAME]
        self.occurrence = occurrence
        self._grammar = grammar
        self._fields: Sequence[str] | None = None

    def raw(self, field: int) -> str:
        """Return the field as it was sent, empty where absent."""
        fields = self._fields or self._split()
        return fields[field] if field < len(fields) else ""

    def put(self, field: int, raw: str) -> None:
        """Put an escaped value where `field` is read; the segment's `line` stays as it came."""
        fields = list(self._split())
        fields.extend([""] * (field + 1 - len(fields)))
        fields[field] = raw
        self._fields = fields

    def repetitions(self, field: int) -> tuple[Composite, ...]:
        """All repetitions of a field; none where it is absent. Raises Hl7Error where there are too many."""
        raw = self.raw(field)
        if not raw:
            return ()
        grammar = self._grammar
        if raw.count(grammar.repetition) >= _MOST_REPETITIONS:
            sentence = f"{self.name}-{field} repeats more than {_MOST_REPETITIONS} times."
            raise too_much(self.name, field, sentence)
        return tuple(Composite(part, grammar.component, grammar) for part in self._repeated(field, raw))

    def field(self, number: int, repetition: int = 1) -> Composite:
        """Return one repetition of a field; an absent one is empty."""
        grammar = self._grammar
        parts = self._repeated(number, self.raw(number))
        raw = parts[repetition - 1] if repetition <= len(parts) else ""
        return Composite(raw, grammar.component, grammar)

    def text(self, field: int, component: int = 1, subcomponent: int = 1) -> str:
        """Return the unescaped value in the first repetition, empty where absent or null."""
        raw = self.raw(field)
        if not raw:
            return ""
        if raw.isalnum():  # most values, and no delimiter is one
            return raw if component == subcomponent == 1 else ""
        if self._is_encoding(field):
            return raw
        return self._grammar.part(self._repeated(field, raw)[0], component, subcomponent)

    def _repeated(self, field: int, raw: str) -> Sequence[str]:
        if self._is_encoding(field) or self._grammar.repetition not in raw:
            return (raw,)
        return raw.split(self._grammar.repetition)

    def _is_encoding(self, field: int) -> bool:
        return field <= _ENCODING_CHARACTERS and self.name in _WITH_SEPARATOR_FIELD

    def _split(self) -> Sequence[str]:
        if self._fields is None:
            fields = self.line.split(self._grammar.field)
            if self.name in _WITH_SEPARATOR_FIELD:
                fields.insert(1, self._grammar.field)
            self._fields = fields
        return self._fields


class Message:
    """A parsed message: `decoded` is its whole text, `warnings` are sentences about what was tolerated."""

    __slots__ = ("_by_name", "_grammar", "decoded", "header", "segments_in_order", "warnings")

    def __init__(self, decoded: str, header: Header, grammar: Grammar, lines: Sequence[str]) -> None:
        """Take the text as decoded, the header, and the segments' text in order."""
        self.decoded = decoded
        self.header = header
        self.warnings: list[str] = []
        self._grammar = grammar
        self._by_name: dict[str, list[Segment]] = {}
        self.segments_in_order = [self._segment(line) for line in lines]

    @property
    def control_id(self) -> str:
        """MSH-10, by which the sender knows this message."""
        return self.text("MSH", 10)

    @property
    def kind(self) -> tuple[str, str]:
        """Message code and trigger event of MSH-9; an old sender's lone code takes its trigger from EVN-1."""
        return self.text("MSH", 9), self.text("MSH", 9, 2) or self.text("EVN", 1)

    def __iter__(self) -> Iterator[Segment]:
        """Go through the segments in the order they came."""
        return iter(self.segments_in_order)

    def segment(self, name: str) -> Segment | None:
        """Return the first segment of a name."""
        found = self._by_name.get(name)
        return found[0] if found else None

    def segments(self, name: str) -> Sequence[Segment]:
        """Return every segment of a name, in order."""
        return self._by_name.get(name, ())

    def text(self, segment: str, field: int, component: int = 1, subcomponent: int = 1) -> str:
        """Return a value of the first segment of a name, empty where absent or null."""
        found = self.segment(segment)
        return found.text(field, component, subcomponent) if found else ""

    def raw(self, place: Location) -> str:
        """Return the escaped value at a place in the first segment of its name, empty where absent."""
        segment = self.segment(place.segment)
        if segment is None:
            return ""
        if not place.component:
            return segment.raw(place.field)
        component = segment.field(place.field).component(place.component)
        return component.component(place.subcomponent).raw if place.subcomponent else component.raw

    def put(self, place: Location, raw: str) -> None:
        """Put an escaped value where a field of the first segment of a name is read; make it where absent."""
        segment = self.segment(place.segment)
        if segment is None:
            segment = self._segment(place.segment)
            self.segments_in_order.append(segment)
        segment.put(place.field, raw)

    def parts(self, *, each: str, shared: frozenset[str]) -> tuple["Message", ...]:
        """Split a message that is about several patients: one message for each segment named `each`.

        What comes before the first belongs to all, as does what follows from the first segment that is named
        in `shared`. A message with at most one is its own only part. Raises Hl7Error for too many.
        """
        if len(self.segments(each)) <= 1:
            return (self,)
        first = next(at for at, segment in enumerate(self) if segment.name == each)
        last = next(
            (at for at, segment in enumerate(self) if at > first and segment.name in shared),
            len(self.segments_in_order),
        )
        starts = [at for at, segment in enumerate(self) if segment.name == each and at < last]
        before, after = self._lines(slice(first)), self._lines(slice(last, None))
        if len(starts) > _MOST_PARTS or sum(map(len, (*before, *after))) > _MOST_SHARED:
            raise too_much(each, 0, f"A message may be about {_MOST_PARTS} patients, each briefly.")
        return tuple(
            self._part([*before, *self._lines(slice(start, end)), *after])
            for start, end in zip(starts, [*starts[1:], last], strict=True)
        )

    def _lines(self, which: slice) -> list[str]:
        return [segment.line for segment in self.segments_in_order[which]]

    def _part(self, lines: Sequence[str]) -> "Message":
        """Make a message of some segments: its text is theirs alone, for the others are of other people."""
        part = Message("\r".join(lines), self.header, self._grammar, lines)
        part.warnings = list(self.warnings)
        return part

    def _segment(self, line: str) -> Segment:
        same = self._by_name.setdefault(line[:_NAME], [])
        segment = Segment(line, len(same) + 1, self._grammar)
        same.append(segment)
        return segment


def parse(raw: bytes, charset: str = "") -> Message:
    """Read one message; raises Hl7Error without an MSH, with an unusable MSH-2 or with far too many segments.

    `charset` is of HL7 table 0211, for a message that names none in MSH-18.

    Any line end will do (CR, LF, CRLF, mixed), and segments nobody knows are kept. A line that does not start
    a segment is text with a line end inside: it belongs to the line before, and a warning says so.
    """
    raw = trimmed(raw)
    header = read_header(raw)
    delimiters = read_delimiters(header)
    declared = header.field(18).partition(delimiters.repetition)[0]
    text, codec, warnings = decode(raw, declared.strip() or charset)
    lines = text.replace("\r\n", "\r").replace("\n", "\r").split("\r")
    segments = _joined(lines, delimiters.field)
    message = Message(text, header, Grammar(delimiters, codec), segments)
    message.warnings.extend(warnings)
    if len(segments) < sum(1 for line in lines if line):
        message.warnings.append("A line that starts no segment was read as part of the one before it.")
    return message


def _joined(lines: Sequence[str], separator: str) -> list[str]:
    """Return the segments; raises Hl7Error as soon as they are too many."""
    segments: list[list[str]] = []
    for line in lines:
        if not line or line.isspace():
            continue
        if not segments or _starts_segment(line, separator):
            if len(segments) == _MOST_SEGMENTS:
                raise too_much("MSH", 0, f"A message has {_MOST_SEGMENTS} segments at most.")
            segments.append([line])
        else:
            segments[-1].append(line)
    return ["\n".join(segment) for segment in segments]


def _starts_segment(line: str, separator: str) -> bool:
    return _SEGMENT_NAME.match(line) is not None and line[_NAME : _NAME + 1] in {"", separator}
