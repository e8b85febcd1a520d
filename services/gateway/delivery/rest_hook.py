"""Tells a sender by its FHIR Subscription (R4, channel type rest-hook)."""

import asyncio
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import Final

import httpx

from services.gateway.delivery.address import Address, AddressError, resolved
from services.gateway.delivery.outcome import Delivered, Outcome, Rejected, Unreachable
from services.gateway.delivery.owed import Owed
from services.gateway.delivery.signature import DELIVERY, SIGNATURE, signature
from services.gateway.delivery.subscription import Subscription
from services.gateway.delivery.task import task_of
from shared.events.outbound import OutboundEnvelope
from shared.events.referral import DeliveryWay

_FHIR_JSON: Final = "application/fhir+json"
_LARGEST_ANSWER: Final = 65_536
_BODY_SECONDS: Final = 0.5
_OURS: Final = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "expect", "te", "upgrade"}
    | {DELIVERY.lower(), SIGNATURE.lower()}
)
_OF_THE_MESSAGE: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""Refusals of one Task: others may be taken. Any other answer would be the same to all of them."""


class RestHookChannel:
    """One Subscription. No redirect is followed, no proxy of the environment used, few bytes read."""

    way: DeliveryWay = "rest-hook"

    def __init__(self, told: Subscription, secret: str, *, private: bool) -> None:
        """Take the subscription, what its calls are signed with, and whether it may be private."""
        self._told = told
        self._secret = secret
        self._private = private

    def wants(self, envelope: OutboundEnvelope) -> bool:
        """Tell whether a status is one that the subscription is about."""
        return self._told.wants(envelope.data)

    async def deliver(self, owed: Owed, envelope: OutboundEnvelope, seconds: float) -> Outcome:
        """Call the endpoint once."""
        body = task_of(owed, envelope.data) if self._told.with_task else b""
        try:
            async with asyncio.timeout(seconds):
                address = await resolved(self._told.endpoint, private=self._private)
                return await self._call(address, envelope, body)
        except TimeoutError:
            return Unreachable(f"There was no answer within {seconds:g} seconds.")
        except AddressError as fault:
            return Unreachable(str(fault))
        except (OSError, httpx.HTTPError) as fault:
            return Unreachable(f"The endpoint cannot be reached: {_cause(fault)}")

    async def _call(self, address: Address, envelope: OutboundEnvelope, body: bytes) -> Outcome:
        async with (
            httpx.AsyncClient(
                verify=_trusted(),
                trust_env=False,
                follow_redirects=False,
                timeout=None,  # noqa: S113 -- timed as a whole
            ) as client,
            client.stream(
                "POST",
                address.url,
                content=body,
                headers=self._headers(address, envelope, body),
                extensions={"sni_hostname": address.endpoint.host},
            ) as response,
        ):
            await _read_some(response)
            return _outcome(response.status_code, response.headers.get("retry-after"))

    def _headers(self, address: Address, envelope: OutboundEnvelope, body: bytes) -> dict[str, str]:
        delivery = str(envelope.id)
        theirs = {name: value for name, value in self._told.headers if name.lower() not in _OURS}
        return {
            **theirs,
            "Host": address.authority,
            "User-Agent": "throughcare",
            "Accept-Encoding": "identity",
            DELIVERY: delivery,
            SIGNATURE: signature(self._secret, delivery, body, datetime.now(UTC)),
            **({"Content-Type": _FHIR_JSON} if body else {}),
        }


@cache
def _trusted() -> ssl.SSLContext:
    """Return who may vouch for an endpoint: to read them takes 28 ms, in which the gateway answers nobody."""
    return httpx.create_ssl_context(trust_env=False)


async def _read_some(response: httpx.Response) -> None:
    """Read what ends the exchange well, for a moment: the status has told already whether it arrived."""
    size = 0
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in response.aiter_raw():
                size += len(chunk)
                if size > _LARGEST_ANSWER:
                    return


def _cause(fault: BaseException) -> str:
    """Say what was wrong in the words of who noticed it: httpx' own error has none of a certificate's."""
    first = fault
    while (earlier := first.__cause__ or first.__context__) is not None:
        first = earlier
    return str(first) or type(first).__name__


def _outcome(status: int, retry_after: str | None) -> Outcome:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Delivered(str(status))
    if status in _OF_THE_MESSAGE:
        return Rejected(f"The endpoint answered {status}.")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Unreachable(f"The endpoint answered with a redirect ({status}), which is not followed.")
    return Unreachable(f"The endpoint answered {status}.", _seconds(retry_after or "", datetime.now(UTC)))


def _seconds(retry_after: str, now: datetime) -> float:
    """Read Retry-After (RFC 9110, 10.2.3): seconds or a date; what is neither asks for nothing."""
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):  # no date, or a zone that no clock has
        return 0.0
    return max((until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds(), 0.0)
