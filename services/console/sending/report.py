"""What is told of the messages sent: a table for people, or JSON as they are answered."""

import msgspec
from msgspec import Struct

from services.console.output import escaped_json, print_table, tell

_SHOWN = 1_000  # accepted messages in a table; of more only their number is told


class Sent(Struct, frozen=True):
    """One message and what became of it."""

    file: str
    control_id: str
    code: str  # MSA-1; over HTTP stored, refused or not-stored; empty where nobody answered
    error: str


class Report:
    """What is told of the messages sent."""

    refused = 0
    accepted = 0
    skipped = 0  # accepted before, and not sent

    def add(self, sent: Sent, *, accepted: bool) -> None:
        """Tell of one more message."""
        if accepted:
            self.accepted += 1
        else:
            self.refused += 1
        self.show(sent, accepted=accepted)

    def show(self, sent: Sent, *, accepted: bool) -> None:
        raise NotImplementedError

    def break_off(self) -> None:
        """Finish where sending failed: what was answered by then is not forgotten."""
        if self.accepted or self.refused:
            self.end()

    def end(self) -> None:
        """Finish."""
        if self.refused:
            tell(f"{self.refused} of {self.accepted + self.refused} messages were not accepted.")
        if self.skipped:
            tell(f"{self.skipped} were accepted before and not sent again.")


class TableReport(Report):
    """A table at the end, of the messages not accepted and, where they are not too many, of the others."""

    def __init__(self) -> None:
        self._rows: list[Sent] = []

    def show(self, sent: Sent, *, accepted: bool) -> None:
        if not accepted or self.accepted <= _SHOWN:
            self._rows.append(sent)

    def end(self) -> None:
        rows = [(row.file, row.control_id, row.code or "none", row.error) for row in self._rows]
        nothing = "Every message was accepted before." if self.skipped else "There was no message to send."
        print_table(("FILE", "CONTROL ID", "ANSWER", "ERROR"), rows, empty=nothing)
        if self.accepted > _SHOWN:
            tell(f"{self.accepted} messages were accepted; the table shows {_SHOWN} of them.")
        super().end()


class JsonReport(Report):
    """An array with an object for each message, printed as they are answered."""

    def __init__(self) -> None:
        self._separator = "["

    def show(self, sent: Sent, *, accepted: bool) -> None:  # noqa: ARG002 - the code says it
        print(f"{self._separator}\n  {escaped_json(msgspec.json.encode(sent).decode())}", end="")
        self._separator = ","

    def end(self) -> None:
        print("[]" if self._separator == "[" else "\n]")
        super().end()
