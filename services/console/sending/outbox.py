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
_LONGEST = 16 << 20  # of a document; what a gateway takes is less
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
            for message in _json(file) if self.form == "ndjson" else read_messages(file):
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


def _json(file: BinaryIO) -> Iterator[bytes]:
    """Give each line; a document that is laid out over many, as people read it, is one message."""
    whole = _document(file)
    if whole is not None:
        return iter([whole])
    file.seek(0)
    return _lines(file)


def _document(file: BinaryIO) -> bytes | None:
    """Return the document of a file whose first line is none, on one line; None where there is no such."""
    if _is_json(next(_lines(file), b"{}")):
        return None
    file.seek(0)
    content = file.read(_LONGEST)
    return msgspec.json.format(content, indent=-1) if _is_json(content) else None


def _is_json(content: bytes) -> bool:
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True


def _lines(file: BinaryIO) -> Iterator[bytes]:
    return (line.strip() for line in file if line.strip())
