"""nats-server's accounts, as the file that its configuration includes.

The services have an account with the streams; each sender that publishes itself has one of its own, which
shares a few subjects with theirs. Permissions within one account would not do: whoever may publish with
a reply subject has the server write its answer there, the event log included.
"""

import re
from collections.abc import Mapping
from typing import Final

import bcrypt

SERVICES: Final = "throughcare"
"""The services' user."""

_SOURCE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_SOURCE: Final = 49
_WRITTEN: Final = "# Written by `throughcare nats-permissions`: what is changed here by hand is lost."
_USER: Final = re.compile(r'\{user: "([^"]+)", password: "([^"]+)"')
# Our passwords are 192 random bits, which nobody finds by trying; each connection costs the server a hash.
_ROUNDS: Final = 6
# What one sender may take of the server: far more than an interface engine of several nodes needs.
CONNECTIONS: Final = 64
SUBSCRIPTIONS: Final = 1_024  # of all its connections together

Users = Mapping[str, str]
"""The bcrypt hash of each user's password."""


class AccountsError(Exception):
    """The text is no accounts file of ours."""


def is_source(name: str) -> bool:
    """Tell whether a name can be a sender's: as in its profile, and not the services' own."""
    return name != SERVICES and len(name) <= _LONGEST_SOURCE and _SOURCE.fullmatch(name) is not None


def hashed(password: str) -> str:
    """Return what nats-server knows a password by."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(_ROUNDS, prefix=b"2a")).decode()


def read(text: str) -> dict[str, str]:
    """Return the users of a file that `write` made; raises AccountsError."""
    if not text.startswith(_WRITTEN):
        raise AccountsError("The file was not written by this command.")
    return dict(_USER.findall(text))


def write(users: Users) -> str:
    """Return the file for the services and every sender among the users."""
    sources = sorted(users.keys() - {SERVICES})
    exports = [line for source in sources for line in _exports(source)]
    lines = [
        _WRITTEN,
        "accounts {",
        "  CARE {",
        "    jetstream: enabled",
        f"    users: [{_user(SERVICES, users[SERVICES])}}}]",
        "    exports: [",
        *exports,
        "    ]",
        "  }",
        *(line for source in sources for line in _account(source, users[source])),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _exports(source: str) -> tuple[str, ...]:
    return (
        f'      {{service: "native.{source}.*", accounts: ["{source}"]}}',
        f'      {{service: "status.{source}.next", accounts: ["{source}"]}}',
        f'      {{stream: "outbound.{source}.status", accounts: ["{source}"]}}',
    )


def _account(source: str, password: str) -> tuple[str, ...]:
    """Return a sender's account: what it publishes to `inbound` is asked of the gateway as `native`."""
    publish = f'publish: ["inbound.{source}.*", "status.{source}.next"]'
    subscribe = f'subscribe: ["_INBOX.>", "outbound.{source}.status"]'
    return (
        f'  "{source}" {{',
        "    users: [",
        f"      {_user(source, password)}, permissions: {{",
        f"        {publish}",
        f"        {subscribe}",
        "      }}",
        "    ]",
        f"    limits: {{max_connections: {CONNECTIONS}, max_subscriptions: {SUBSCRIPTIONS}}}",
        "    imports: [",
        f'      {{service: {{account: CARE, subject: "native.{source}.*"}}, to: "inbound.{source}.*"}}',
        f'      {{service: {{account: CARE, subject: "status.{source}.next"}}}}',
        f'      {{stream: {{account: CARE, subject: "outbound.{source}.status"}}}}',
        "    ]",
        "  }",
    )


def _user(name: str, password: str) -> str:
    return f'{{user: "{name}", password: "{password}"'
