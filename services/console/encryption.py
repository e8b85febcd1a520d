"""TLS as the command line asks for it, and why a connection over MLLP was not made."""

import socket
import ssl
from pathlib import Path

import typer

from services.gateway.mllp.tls import client_context


def encryption(
    authority: Path | None, certificate: Path | None, key: Path | None, *, wanted: bool
) -> ssl.SSLContext | None:
    """Return the TLS that --tls, or any other --tls option, asks for; None where nothing does.

    A key by itself is a usage error: passed over, what was to be encrypted would go in the clear.
    """
    if key is not None and certificate is None:
        raise typer.BadParameter("Its certificate is missing: --tls-certificate.", param_hint="--tls-key")
    if wanted or authority is not None or certificate is not None:
        return client_context(authority, certificate, key)
    return None


def unreached(host: str, port: int, fault: OSError, *, encrypted: bool) -> str:
    """Say why no connection was made."""
    place = f"{host}:{port}"
    if isinstance(fault, ssl.SSLError):
        return f"No TLS connection to {place} could be made: {fault.reason}."
    if isinstance(fault, socket.gaierror):
        return f"The host {host} is not known."
    if isinstance(fault, TimeoutError):
        return f"{place} did not answer in time."
    if encrypted and isinstance(fault, ConnectionResetError | ConnectionAbortedError):
        return f"{place} ended the TLS handshake: perhaps it speaks no TLS."
    return f"Nobody listens on {place}."
