"""Who may connect to the demo's NATS server: the services, and its hospital, which may publish itself."""

import secrets
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from services.console import nats_accounts
from shared.process import write_whole

_PASSWORD_BYTES: Final = 24


class Passwords(Struct, frozen=True):
    """Kept in the server's folder, which only its owner reads, so that a later demo has the same."""

    services: str
    hospital: str


def let_in(folder: Path, hospital: str) -> None:
    """Write the accounts of the server that starts on the folder.

    One that held data before there were accounts lets in everybody, as it did: its streams are in no account.
    """
    if passwords(folder) is not None or (folder / "store").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    made = Passwords(*(secrets.token_urlsafe(_PASSWORD_BYTES) for _ in Passwords.__struct_fields__))
    users = {nats_accounts.SERVICES: made.services, hospital: made.hospital}
    hashes = {name: nats_accounts.hashed(password) for name, password in users.items()}
    write_whole(folder / "accounts.conf", nats_accounts.write(hashes).encode())
    write_whole(_file(folder), msgspec.json.encode(made))


def passwords(folder: Path) -> Passwords | None:
    """Return the passwords of the server on the folder; None where everybody is let in."""
    try:
        return msgspec.json.decode(_file(folder).read_bytes(), type=Passwords)
    except FileNotFoundError:
        return None


def _file(folder: Path) -> Path:
    return folder / "passwords.json"
