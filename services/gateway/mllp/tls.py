"""TLS for MLLP: contexts of the server and of the client, from PEM files."""

import ssl
from pathlib import Path

from shared.settings import SettingsError


class TlsError(SettingsError):
    """A file of a certificate, a key or an authority cannot be used; the text names it."""


def server_context(
    certificate: Path, key: Path | None = None, client_ca: Path | None = None
) -> ssl.SSLContext:
    """Make a server's context, TLS 1.2 and later; with `client_ca` peers need a certificate of these.

    Raises TlsError.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_certificate(context, certificate, key)
    if client_ca is not None:
        _load_authority(context, client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(
    authority: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Make a client's context; without `authority` the system's are trusted. Raises TlsError."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority is not None:
        _load_authority(context, authority)
    if certificate is not None:
        load_certificate(context, certificate, key)
    return context


def load_certificate(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    """Take a certificate, or its renewal: connections made from now on use it. Raises TlsError."""
    try:
        context.load_cert_chain(certificate, key)
    except OSError as fault:  # SSLError is one
        names = f"{certificate} with {key}" if key else f"{certificate}"
        raise TlsError(f"The certificate {names} cannot be used: {_reason(fault)}.") from None


def _load_authority(context: ssl.SSLContext, authority: Path) -> None:
    try:
        context.load_verify_locations(authority)
    except OSError as fault:
        raise TlsError(f"The authority {authority} cannot be used: {_reason(fault)}.") from None


def _reason(fault: OSError) -> str:
    return (fault.reason if isinstance(fault, ssl.SSLError) else fault.strerror) or type(fault).__name__
