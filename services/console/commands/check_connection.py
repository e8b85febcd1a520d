"""`throughcare check-connection`: what an integrator runs against a demo or a test system."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final, Literal

import httpx
import typer
from msgspec import Struct
from nats.aio.client import Client
from nats.errors import Error as NatsError

from services.console.checking import check, report
from services.console.checking.case import Case, new_case
from services.console.checking.report import Result
from services.console.checking.watching import FhirWatch, NoWatch, StatusWatch, Watch
from services.console.checking.ways import SECONDS, FhirWay, MllpWay, NatsWay, Way
from services.console.demo.hl7 import APPLICATION, FACILITY
from services.console.encryption import encryption
from services.console.faults import REFUSED, Failed
from services.console.options import AsJson
from services.console.output import tell
from services.console.place import AT_ONCE, is_refusal, place_of
from services.console.run_folder import Running
from services.gateway.source import token as source_token

_In = Literal["mllp", "fhir", "nats"]
_NATS_URL: Final = "THROUGHCARE_NATS_URL"
_UNSEEN: Final = "Only the answers were looked at: with --fhir and a token each message is looked for, too."
_LEFT: Final = (
    "Its referral waits for a coordinator to confirm the cancellation; the assessment stays in the record."
)


class Target(Struct, frozen=True, kw_only=True):
    """Where to send, and where to look."""

    way: _In
    mllp: str | None
    fhir: str | None
    token: str | None
    nats: str | None
    source: str
    password: str | None
    tls: ssl.SSLContext | None


def check_connection(
    context: typer.Context,
    mllp: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Send HL7 v2 over MLLP.")] = None,
    fhir: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Send by FHIR; with --mllp or --nats only look there. Ends with /fhir."
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="THROUGHCARE_TOKEN",
            metavar="TOKEN",
            help="Bearer token for --fhir; in the variable it stands in no list of processes.",
        ),
    ] = None,
    nats: Annotated[str | None, typer.Option(metavar="URL", help="Publish CloudEvents over NATS.")] = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="The sender's token, and its user at NATS.", show_default=False),
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(
            envvar="NATS_PASSWORD",
            metavar="PASSWORD",
            help="Of the source's user at NATS; better in the variable, as the token.",
        ),
    ] = None,
    way: Annotated[
        _In | None, typer.Option(help="Which way in, beside a running demo.", show_default="mllp")
    ] = None,
    sender: Annotated[
        str, typer.Option(metavar="MSH-3^MSH-4", help="Application and facility.")
    ] = f"{APPLICATION}^{FACILITY}",
    assigner: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of the numbers, as in PID-3.4.", show_default="the facility"),
    ] = None,
    processing: Annotated[
        str, typer.Option(metavar="MSH-11", help="T, or P for a profile of production.")
    ] = "T",
    seconds: Annotated[
        float, typer.Option(min=0.1, help="How long a message may take to be seen.")
    ] = SECONDS,
    tls: Annotated[
        bool, typer.Option("--tls", help="MLLP over TLS; the other --tls options imply it.")
    ] = False,
    tls_ca: Annotated[Path | None, typer.Option(exists=True, help="Who vouches for the receiver.")] = None,
    tls_certificate: Annotated[Path | None, typer.Option(exists=True, help="Our certificate.")] = None,
    tls_key: Annotated[Path | None, typer.Option(exists=True, help="Its key.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send a made-up referral, amendment, stay, appointment and result; see each arrive; cancel them.

    Prints for each what was expected and what came, and what to do where that differs. Without an address it
    uses the demo that runs in this folder. Each run makes up another person: never run it against a system
    with real people. Ends with status 1 where anything differs.
    """
    application, caret, facility = sender.partition("^")
    if not (application and caret and facility):
        raise typer.BadParameter("Two names with ^ between are expected.", param_hint="--sender")
    if fhir is not None:
        _check_fhir(fhir, token)
    told = Target(
        way=way or ("mllp" if mllp else "nats" if nats else "fhir" if fhir else "mllp"),
        mllp=mllp,
        fhir=fhir,
        token=token,
        nats=nats,
        source=source or source_token(application.casefold(), facility.casefold()),
        password=password,
        tls=encryption(tls_ca, tls_certificate, tls_key, wanted=tls),
    )
    if not (mllp or fhir or nats):
        told = _of_demo(told, place_of(context).folder.running())
    case = new_case(application=application, facility=facility, assigner=assigner, processing=processing)
    if not as_json:
        tell(f"Checking with {case.number} of {case.assigner}, referral {case.placer}.")
    results = asyncio.run(_run(case, told, seconds))
    report.show(results, as_json=as_json)
    if not as_json:
        _tell_what_remains(results)
    if not all(each.is_good for each in results):
        raise typer.Exit(REFUSED)


def _check_fhir(address: str, token: str | None) -> None:
    """Refuse what could only fail, or be passed over: nothing is seen by FHIR without a token."""
    if not address.startswith(("http://", "https://")):
        raise typer.BadParameter("An address with https:// or http:// is expected.", param_hint="--fhir")
    if not token:
        raise typer.BadParameter("It needs a bearer token, in THROUGHCARE_TOKEN.", param_hint="--fhir")


def _tell_what_remains(results: Sequence[Result]) -> None:
    if not any(each.is_stored for each in results):
        return
    if not any(each.is_watched for each in results):
        tell(_UNSEEN)
    tell(_LEFT)


def _of_demo(told: Target, running: Running | None) -> Target:
    if running is None:
        raise Failed(
            "No demo runs here: name an address with --mllp, --fhir or --nats, or start `./dev demo`."
        )
    return Target(
        way=told.way,
        mllp=running.mllp,
        fhir=running.fhir,
        token=told.token or running.fhir_token,
        nats=running.nats or running.environment.get(_NATS_URL),
        source=running.nats_user or told.source,
        password=told.password or running.nats_password or None,
        tls=told.tls,
    )


async def _run(case: Case, told: Target, seconds: float) -> list[Result]:
    async with _ways(told) as (way, watch):
        return [each async for each in check.run(case, way, watch, seconds)]


@asynccontextmanager
async def _ways(told: Target) -> AsyncGenerator[tuple[Way, Watch]]:
    """Open what is sent over and looked at: by FHIR where there is a token, else the statuses at NATS."""
    headers = {"Authorization": f"Bearer {told.token}"} if told.token else {}
    base = f"{(told.fhir or '').rstrip('/')}/"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=SECONDS) as client:
        seen_by_fhir = FhirWatch(client) if told.fhir and told.token else None
        if told.way == "fhir":
            yield FhirWay(client), seen_by_fhir or NoWatch()
        elif told.way == "mllp":
            yield MllpWay(*_address(told.mllp), told.tls), seen_by_fhir or NoWatch()
        else:
            async with _connected(told) as nats:
                yield NatsWay(nats, told.source), seen_by_fhir or StatusWatch(nats, told.source)


@asynccontextmanager
async def _connected(told: Target) -> AsyncGenerator[Client]:
    client = Client()

    async def keep_quiet(_: Exception) -> None:
        """Whatever the server refuses is seen by what is not answered."""

    try:
        await client.connect(
            told.nats or "",
            user=told.source if told.password else None,
            password=told.password,
            connect_timeout=5,
            error_cb=keep_quiet,
            **AT_ONCE,
        )
    except (NatsError, OSError, TimeoutError) as error:
        raise Failed(_not_connected(told, error)) from None
    try:
        yield client
    finally:
        await client.close()


def _not_connected(told: Target, error: Exception) -> str:
    if is_refusal(error):
        return f"NATS does not let {told.source} in: --source and NATS_PASSWORD are its user and password."
    scheme, separator, rest = (told.nats or "").rpartition("://")
    place = f"{scheme}{separator}{rest.rpartition('@')[2]}"  # without a password in it
    return f"NATS does not answer at {place} ({type(error).__name__})."


def _address(named: str | None) -> tuple[str, int]:
    host, colon, port = (named or "").rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise typer.BadParameter("HOST:PORT is expected, such as 127.0.0.1:2575.", param_hint="--mllp")
    return host.strip("[]"), int(port)
