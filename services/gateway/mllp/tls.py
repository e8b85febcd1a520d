"""TLS for MLLP: contexts of the server and of the client, from PEM files."""

import ssl
from pathlib import Path
from typing import Self

from shared.settings import SettingsError


class TlsError(SettingsError):
    """A file of a certificate, a key or an authority cannot be used; the text names it."""


class RenewableContext(ssl.SSLContext):
    """A server's context in whose place another can be put while it listens.

    A whole one is put there, for a context only ever learns authorities and forgets none, and its tickets
    would let peers of the old ones in again. Event loops ask a context for nothing but `wrap_bio`.
    """

    def __new__(cls, now: ssl.SSLContext) -> Self:  # noqa: ARG004 -- as of `__init__`
        """Make a context that by itself knows no certificate and so lets nobody in."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, now: ssl.SSLContext) -> None:
        self._now = now

    def renew(self, now: ssl.SSLContext) -> None:
        """Use another context for every handshake from now on."""
        self._now = now

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002 -- ssl's own signature
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Begin a connection as the context in force does."""
        return self._now.wrap_bio(incoming, outgoing, server_side, server_hostname, session)


def server_context(
    certificate: Path,
    key: Path | None = None,
    client_ca: Path | None = None,
    client_crl: Path | None = None,
) -> ssl.SSLContext:
    """Make a server's context, TLS 1.2 and later; with `client_ca` peers need a certificate of these.

    With `client_crl` also one that its authority did not revoke (RFC 5280, section 5): a list of each
    authority that issues to peers is needed, for without a list in force nobody of that authority gets in.
    Raises TlsError.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_certificate(context, certificate, key)
    if client_ca is not None:
        _load_authority(context, client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    if client_crl is not None:
        _load_revocations(context, client_crl)
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
        _load_certificate(context, certificate, key)
    return context


def _load_certificate(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
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


def _load_revocations(context: ssl.SSLContext, revoked: Path) -> None:
    try:
        context.load_verify_locations(revoked)
    except OSError as fault:
        raise TlsError(f"The revocations {revoked} cannot be used: {_reason(fault)}.") from None
    if not context.cert_store_stats()["crl"]:
        raise TlsError(f"The revocations {revoked} cannot be used: there is no X509 CRL in the file.")
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


def _reason(fault: OSError) -> str:
    if isinstance(fault, ssl.SSLError):  # OpenSSL says nothing where the file lacks what is looked for
        return fault.reason or "what it should hold, a certificate or its key as PEM, is not in it"
    return fault.strerror or type(fault).__name__
