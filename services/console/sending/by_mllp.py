"""Sends files over MLLP, as a hospital's interface engine does."""

import ssl
from collections import deque
from collections.abc import Iterator, Sequence

from services.console.encryption import unreached
from services.console.faults import Failed
from services.console.sending.outbox import Outbox
from services.console.sending.report import Report, Sent
from services.console.sending.sent_file import digest
from services.gateway.mllp.client import Answer, send


class MllpWay:
    """One connection; messages of several files go over it, `window` of them unanswered at a time."""

    def __init__(self, host: str, port: int, *, window: int, tls: ssl.SSLContext | None) -> None:
        self._host = host
        self._port = port
        self._window = window
        self._tls = tls
        self._on_their_way: deque[tuple[Outbox, str]] = deque()

    async def send(self, outboxes: Sequence[Outbox], report: Report) -> None:
        """Send every message and tell what was answered; raises Failed where no connection is made."""
        messages = self._messages(outboxes, report)
        try:
            async for answer in send(self._host, self._port, messages, window=self._window, tls=self._tls):
                report.add(self._answered(answer), accepted=answer.is_accepted)
        except OSError as fault:
            encrypted = self._tls is not None
            raise Failed(unreached(self._host, self._port, fault, encrypted=encrypted)) from None

    def _messages(self, outboxes: Sequence[Outbox], report: Report) -> Iterator[bytes]:
        for outbox in outboxes:
            for message in outbox.messages():
                if message is None:
                    report.skipped += 1
                    continue
                self._on_their_way.append((outbox, digest(message)))
                yield outbox.as_hl7(message)

    def _answered(self, answer: Answer) -> Sent:
        """Take the answer to the first message on its way."""
        outbox, noted = self._on_their_way.popleft()
        if answer.is_accepted and outbox.notes is not None:
            outbox.notes.accepted(noted)
        return Sent(str(outbox.path), answer.control_id, answer.code, answer.error)
