"""Which messages of a file were accepted, so that sending it can go on where it broke off.

The notes lie beside the file as `<file>.sent`: for each accepted message a line with the digest of its
content. The control id alone would not do, for senders give one to several messages.
"""

import hashlib
from pathlib import Path
from typing import Self

_DIGEST_BYTES = 16


class SentFile:
    """The notes about one file; a context manager, for they are appended to while messages are answered."""

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(f"{path.name}.sent")
        self._accepted = set(self.path.read_text().split()) if self.path.exists() else set[str]()

    def __enter__(self) -> Self:
        self._notes = self.path.open("a", encoding="ascii")
        return self

    def __exit__(self, *_: object) -> None:
        self._notes.close()

    def has(self, message: bytes) -> bool:
        """Tell whether the message was accepted before."""
        return digest(message) in self._accepted

    def accepted(self, noted: str) -> None:
        """Note the message of this digest; it is written when this returns, so that a kill forgets none."""
        self._notes.write(f"{noted}\n")
        self._notes.flush()


def digest(message: bytes) -> str:
    """Return what a message is noted by."""
    return hashlib.blake2b(message, digest_size=_DIGEST_BYTES).hexdigest()
