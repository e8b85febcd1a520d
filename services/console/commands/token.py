"""`throughcare token`: a bearer token for a source of FHIR, and the hash of it that its profile names."""

import secrets
from typing import Annotated, Final

import typer
from msgspec import Struct

from services.console.options import AsJson
from services.console.output import print_json, tell
from services.gateway.fhir.auth import hash_of
from services.gateway.profile_file import is_source

_BYTES: Final = 32


class Token(Struct, frozen=True):
    """A token of a source, and the hash that stands in its profile."""

    source: str
    token: str
    hash: str


def token(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="The source, as its profile names it.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Make a bearer token for a source that speaks FHIR, and the hash of it for its profile.

    The token is random, shown once and kept nowhere: only its sender has it. A profile may hold several
    hashes, so that a new token works before the old one ends.
    """
    if not is_source(source):
        sentence = "Lower-case letters, digits and single hyphens between them are expected, 49 at most."
        raise typer.BadParameter(sentence, param_hint="SOURCE")
    made = secrets.token_urlsafe(_BYTES)
    told = Token(source, made, f"SHA256:{hash_of(made)}")
    if as_json:
        print_json(told)
        return
    tell(f"For {source}, over a safe way; it is not shown again:")
    print(told.token)
    tell(f"For the profile whose source is {source}, under tokens; remove the old one once nobody uses it:")
    print(told.hash)
