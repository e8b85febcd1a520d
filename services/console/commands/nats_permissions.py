"""`throughcare nats-permissions`: who may connect to NATS, and what a sender may do there."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from services.console import nats_accounts
from services.console.faults import Failed
from services.console.nats_accounts import SERVICES, AccountsError
from services.console.options import AsJson
from services.console.output import out, print_json, tell
from shared.process import write_whole

_PASSWORD_BYTES: Final = 24


def nats_permissions(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The accounts file of nats-server.", show_default=False)
    ],
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE", help="Senders that publish themselves.", show_default=False),
    ] = None,
    renew: Annotated[
        list[str] | None, typer.Option(metavar="USER", help=f"Give a sender, or {SERVICES}, a new password.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="SOURCE", help="Let a sender in no more.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write nats-server's accounts: of the services, and of each sender with credentials of its own.

    A sender may publish `inbound.SOURCE.<kind>`, and read what became of its own referrals; nothing else.
    Those who are in the file stay. New passwords are printed, this once: the file holds their hashes.
    The server takes the file at its start, or with `nats-server --signal reload`, said twice: what a new
    account shares with the services' takes hold with the second (2.15.1).
    """
    users = _users(file)
    for source in remove or []:
        users.pop(_source_in(users, source))
    if not file.parent.is_dir():
        raise Failed(f"There is no folder {file.parent}.")
    names = [SERVICES, *(_checked(source) for source in sources or [])]
    told = {name: _password() for name in names if name not in users}
    told |= {name: _password() for name in _known(users, renew or [])}
    users |= {name: nats_accounts.hashed(password) for name, password in told.items()}
    write_whole(file, nats_accounts.write(users).encode())
    if as_json:
        print_json(told)
        return
    for name, password in told.items():
        out.print(f"{name} {password}", markup=False, soft_wrap=True)
    tell(f"{file} names {_senders(len(users) - 1)}; reload nats-server twice.")


def _senders(number: int) -> str:
    return "1 sender" if number == 1 else f"{number} senders"


def _users(file: Path) -> dict[str, str]:
    try:
        return nats_accounts.read(file.read_text(encoding="utf-8")) if file.exists() else {}
    except (OSError, UnicodeDecodeError, AccountsError) as error:
        raise Failed(f"{file} is left as it is: {error}") from None


def _checked(source: str) -> str:
    if not nats_accounts.is_source(source):
        raise typer.BadParameter(
            f"{source} is no sender's token: small letters and digits, with single hyphens between.",
            param_hint="SOURCE",
        )
    return source


def _known(users: dict[str, str], names: Sequence[str]) -> Sequence[str]:
    for name in names:
        if name not in users:
            raise Failed(f"There is no user {name}.")
    return names


def _source_in(users: dict[str, str], source: str) -> str:
    if source == SERVICES:
        raise Failed("Without their user the services could not connect.")
    [name] = _known(users, [source])
    return name


def _password() -> str:
    return secrets.token_urlsafe(_PASSWORD_BYTES)
