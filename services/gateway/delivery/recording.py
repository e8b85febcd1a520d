"""Has intake record that a sender was told: the timeline shows it."""

from collections.abc import Callable
from datetime import datetime

import structlog
from nats.aio.client import Client

from services.gateway.delivery.progress import Arrived
from shared.commands.decision import Refused, derived
from shared.commands.intake import RecordStatusDelivery
from shared.commands.reply import Invalid, Unavailable
from shared.eventlog.client import CommandClient
from shared.events.referral import DeliveryWay

_log = structlog.get_logger()


class Recording:
    """Of one channel. Recorded twice, it stands in the log once."""

    def __init__(
        self, client: Client, source: str, way: DeliveryWay, now: Callable[[], datetime], seconds: float
    ) -> None:
        self._client = CommandClient(client, timeout_seconds=seconds)
        self._source = source
        self._way: DeliveryWay = way
        self._now = now

    async def record(self, arrived: Arrived) -> bool:
        """Ask once; False where intake does not answer now. What it refuses is logged and left."""
        answer = await self._client.ask(self._command(arrived))
        if isinstance(answer, Unavailable):
            return False
        if isinstance(answer, (Refused, Invalid)):
            code = answer.code if isinstance(answer, Refused) else "invalid"
            _log.error("delivery-not-recorded", referral=arrived.referral, reason=code)
        return True

    def _command(self, arrived: Arrived) -> RecordStatusDelivery:
        return RecordStatusDelivery(
            id=derived(arrived.because, f"delivered-{self._way}"),
            participant=arrived.participant,
            actor="gateway:delivery",
            now=self._now(),
            at=arrived.at.isoformat(),
            causation=arrived.because,
            referral=arrived.referral,
            because=arrived.because,
            status=arrived.status,
            to=self._source,
            way=self._way,
            answer=arrived.answer,
        )
