"""The messages of a file that are still to be sent: HL7 v2, as it stands or as a batch, or NDJSON."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from services.console.faults import Failed
from services.console.sending.sent_file import SentFile
from services.gateway.mllp.batch import read_messages

Form = Literal["hl7v2", "ndjson"]

_BEGINNING = 4_096
_NDJSON = (b"{", b'"')


class Outbox:
    """One file; `notes` are what is known to be accepted, None where nobody notes it."""

    def __init__(self, path: Path, notes: SentFile | None) -> None:
        self.path = path
        self.notes = notes
        with path.open("rb") as file:
            is_ndjson = file.read(_BEGINNING).lstrip().startswith(_NDJSON)
        self.form: Form = "ndjson" if is_ndjson else "hl7v2"

    def messages(self) -> Iterator[bytes | None]:
        """Give each message, None in the place of one that was accepted before; holds one at a time."""
        with self.path.open("rb") as file:
            for message in _lines(file) if self.form == "ndjson" else read_messages(file):
                yield None if self.notes is not None and self.notes.has(message) else message

    def as_hl7(self, message: bytes) -> bytes:
        """Return one of these as HL7 v2; raises Failed for a line that is something else."""
        if self.form == "hl7v2":
            return message
        try:
            return msgspec.json.decode(message, type=str).encode()
        except msgspec.DecodeError:
            sentence = "has lines that are no HL7 v2 message; FHIR and events go over HTTP: --to https://…"
            raise Failed(f"{self.path} {sentence}") from None


def _lines(file: BinaryIO) -> Iterator[bytes]:
    return (line.strip() for line in file if line.strip())
