"""The three ways in: each sends a step's message and tells what was answered to it."""

import ssl
from typing import Final, Protocol

import httpx
import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import APIError, NoStreamResponseError

from services.console.checking import fhir, hl7v2, native
from services.console.checking.case import Case
from services.console.checking.steps import Name
from services.console.encryption import unreached
from services.gateway.mllp.client import send

SECONDS: Final = 30.0
"""So long an answer may take; a gateway that stores nothing for so long says so by then."""

_FIRST_REFUSAL: Final = 400


class Answer(Struct, frozen=True):
    """What was answered: a code as the way has it, empty where nobody answered, and what was said."""

    code: str
    said: str
    is_accepted: bool


class Way(Protocol):
    """One way in."""

    expects: str

    async def send(self, case: Case, name: Name) -> Answer | None:
        """Send the message of a step; None where this way has none."""
        ...


class MllpWay:
    """HL7 v2 over MLLP, a connection for each message."""

    expects = "AA or CA"

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host = host
        self._port = port
        self._tls = tls

    async def send(self, case: Case, name: Name) -> Answer:
        """Send a message and wait for its acknowledgement."""
        told = hl7v2.message(case, name)
        try:
            answers = send(self._host, self._port, [told], timeout=SECONDS, tls=self._tls)
            [answer] = [each async for each in answers]
        except OSError as fault:
            told_why = unreached(self._host, self._port, fault, encrypted=self._tls is not None)
            return Answer("", told_why, is_accepted=False)
        return Answer(answer.code, answer.error, answer.is_accepted)


class FhirWay:
    """FHIR R4 over HTTP."""

    expects = "200, 201 or 202"

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def send(self, case: Case, name: Name) -> Answer | None:
        """Post a resource or a Bundle."""
        asked = fhir.request(case, name)
        if asked is None:
            return None
        body = msgspec.json.encode(asked.body)
        try:
            answer = await self._client.post(
                asked.path, content=body, headers={"Content-Type": "application/fhir+json"}
            )
        except httpx.HTTPError as error:
            return Answer("", f"The server does not answer ({type(error).__name__}).", is_accepted=False)
        return Answer(str(answer.status_code), _issues(answer), answer.status_code < _FIRST_REFUSAL)


class NatsWay:
    """CloudEvents over NATS."""

    expects = "an ack"

    def __init__(self, client: Client, source: str) -> None:
        self._client = client
        self._source = source

    async def send(self, case: Case, name: Name) -> Answer:
        """Publish a CloudEvent and wait for its ack."""
        told = native.publication(case, name)
        subject = f"inbound.{self._source}.{told.kind}"
        payload = msgspec.json.encode(told.event)
        try:
            ack = await JetStreamContext(self._client).publish(subject, payload, timeout=SECONDS)
        except APIError as error:
            return Answer(str(error.code), error.description or "", is_accepted=False)
        except NoStreamResponseError:
            return Answer(
                "", "No gateway runs, or the server has not taken up the sender.", is_accepted=False
            )
        except (NatsError, TimeoutError) as error:
            return Answer("", f"{subject} was not acknowledged ({type(error).__name__}).", is_accepted=False)
        return Answer(f"{ack.stream}/{ack.seq}", "", is_accepted=True)


class _Issue(Struct, frozen=True):
    diagnostics: str = ""
    expression: tuple[str, ...] = ()


class _Outcome(Struct, frozen=True):
    issue: tuple[_Issue, ...] = ()


class _Entry(Struct, frozen=True):
    resource: _Outcome = _Outcome()


class _Answered(_Outcome, frozen=True):
    entry: tuple[_Entry, ...] = ()  # a message is answered with a message, and the outcome within it


def _issues(answer: httpx.Response) -> str:
    """Say what an OperationOutcome says of a refusal."""
    if answer.status_code < _FIRST_REFUSAL:
        return ""
    try:
        told = msgspec.json.decode(answer.content, type=_Answered)
    except msgspec.DecodeError:
        return "The answer is no OperationOutcome: is this the address of the FHIR base?"
    issues = [*told.issue, *(issue for each in told.entry for issue in each.resource.issue)]
    return " ".join(
        f"{', '.join(each.expression)}: {each.diagnostics}" if each.expression else each.diagnostics
        for each in issues
    )
