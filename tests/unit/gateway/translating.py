"""What a message of these tests becomes, or why it is refused."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.gateway.hl7v2.conventions import Conventions
from services.gateway.hl7v2.error import Hl7Error
from services.gateway.hl7v2.message import parse
from services.gateway.hl7v2.translate import translate
from shared.events.inbound import InboundMessage

NOW = datetime(2026, 3, 3, 15, 15, 2, tzinfo=UTC)
AS_USUAL = Conventions(zone=ZoneInfo("America/New_York"))


def told(raw: bytes, conventions: Conventions = AS_USUAL) -> tuple[InboundMessage, ...]:
    message = parse(raw, conventions.charset or "")
    return translate(message, source="lakeadt-lakeside", received=NOW, conventions=conventions)


def translated(raw: bytes, conventions: Conventions = AS_USUAL) -> InboundMessage:
    [message] = told(raw, conventions)
    return message


def refusal_of(raw: bytes, conventions: Conventions = AS_USUAL) -> Hl7Error:
    with pytest.raises(Hl7Error) as refusal:
        told(raw, conventions)
    return refusal.value
