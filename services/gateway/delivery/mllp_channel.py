"""Tells a sender by RRI^I12 over MLLP."""

import asyncio
import base64
import ssl
from pathlib import Path
from typing import Final
from uuid import UUID

from services.gateway.delivery.outcome import Delivered, Outcome, Rejected, Unreachable
from services.gateway.delivery.owed import Owed
from services.gateway.delivery.referrer import told_of
from services.gateway.delivery.ways import Mllp
from services.gateway.hl7v2 import rri
from services.gateway.hl7v2.rri import Endpoint
from services.gateway.mllp.client import Answer, send
from services.gateway.mllp.tls import TlsError, client_context
from shared.eventlog.log import Log
from shared.events.base import Identifier
from shared.events.outbound import OutboundEnvelope
from shared.events.referral import DeliveryWay

_CONTROL_ID_BYTES: Final = 12  # 20 characters in base 32, as many as MSH-10 has before v2.7
_FOR_THE_ANSWER: Final = 0.9  # of an attempt's time, so that who waits for it in vain can still say why


def _ours(participant: UUID) -> Identifier:
    """PID-3 is required: where a sender told no number of a person, it is ours."""
    return Identifier(rri.OUR_ASSIGNER, str(participant), "PI")


def control_id(status: UUID) -> str:
    """Return MSH-10 of a status: told again, it is the same."""
    return base64.b32encode(status.bytes[:_CONTROL_ID_BYTES]).decode().rstrip("=")


class MllpChannel:
    """One receiver of one sender. Each message has a connection of its own: news are few."""

    way: DeliveryWay = "mllp"

    def __init__(self, log: Log, source: str, told: Mllp, sender: Endpoint, *, production: bool) -> None:
        """Take whom to tell and how; `sender` is its MSH-3 and -4 where its own message does not say so."""
        self._log = log
        self._source = source
        self._told = told
        self._sender = sender
        self._processing = "P" if production else "T"

    def wants(self, _: OutboundEnvelope) -> bool:
        """Every change of its referral is a sender's business."""
        return True

    async def deliver(self, _: Owed, envelope: OutboundEnvelope, seconds: float) -> Outcome:
        """Send one message and wait for its answer."""
        message = await self._message(envelope)
        try:
            async with asyncio.timeout(seconds):
                answer = await self._answer(message, seconds)
        except TimeoutError:
            return Unreachable(f"There was no answer within {seconds:g} seconds.")
        except (OSError, TlsError) as fault:
            return Unreachable(str(fault) or type(fault).__name__)
        if answer.is_accepted:
            return Delivered(answer.code)
        return Rejected(f"{answer.code}: {answer.error}") if answer.code else Unreachable(answer.error)

    async def _answer(self, message: bytes, seconds: float) -> Answer:
        tls = await asyncio.to_thread(self._tls)
        within = seconds * _FOR_THE_ANSWER
        answers = send(self._told.host, self._told.port, [message], timeout=within, tls=tls)
        [answer] = [each async for each in answers]
        return answer

    async def _message(self, envelope: OutboundEnvelope) -> bytes:
        status = envelope.data
        told = await told_of(self._log, self._source, envelope.inboundsequence)
        return rri.build(
            rri.Answer(
                control_id=control_id(envelope.id),
                at=envelope.time,
                to=told.sender or self._sender,
                referral=status.referral,
                placer=status.placer,
                status=status.status,
                since=status.at.isoformat(),
                identifiers=told.identifiers or (_ours(status.participant),),
                demographics=told.demographics,
                priority=told.priority,
                referrer=told.referrer,
                reason=status.reason,
                notice=status.notice,
                processing=self._processing,
            )
        )

    def _tls(self) -> ssl.SSLContext | None:
        told = self._told
        if not told.is_encrypted:
            return None
        authority, certificate, key = (
            Path(each) if each else None for each in (told.authority, told.certificate, told.key)
        )
        return client_context(authority, certificate, key)
