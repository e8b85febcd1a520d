"""The certificate, key, authorities and revocations of the MLLP port in force: renewed without a restart."""

import ssl
from pathlib import Path
from typing import NamedTuple, Self

import structlog

from services.gateway.mllp.tls import RenewableContext, TlsError, server_context
from services.gateway.watched_file import Stamps
from shared.settings import Settings

_log = structlog.get_logger()


class TlsFiles(NamedTuple):
    """PEM files, as `server_context` takes them."""

    certificate: Path
    key: Path | None = None
    client_ca: Path | None = None
    client_crl: Path | None = None


class CertificateBook:
    """Holds the context that a server listens with. New files that are broken leave the old ones in force."""

    def __init__(self, files: TlsFiles) -> None:
        """Read the files; raises TlsError."""
        self.stamps = Stamps(files)
        self._files = files
        self._context = RenewableContext(server_context(*files))
        self._problem: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """Return the book of the settings, None where MLLP is not encrypted; raises TlsError."""
        certificate, key, client_ca, client_crl = (
            Path(told) if told else None
            for told in (
                settings.mllp_tls_certificate,
                settings.mllp_tls_key,
                settings.mllp_tls_client_ca,
                settings.mllp_tls_client_crl,
            )
        )
        if client_crl and not client_ca:
            raise TlsError("THROUGHCARE_MLLP_TLS_CLIENT_CA is missing: what its authorities revoke is given.")
        if certificate is not None:
            return cls(TlsFiles(certificate, key, client_ca, client_crl))
        if key or client_ca:
            raise TlsError("THROUGHCARE_MLLP_TLS_CERTIFICATE is missing: a key or an authority is given.")
        return None

    @property
    def context(self) -> ssl.SSLContext:
        """What to listen with; it stays the same, whatever is renewed."""
        return self._context

    @property
    def asks_peers(self) -> bool:
        """Whether senders have to show a certificate."""
        return self._files.client_ca is not None

    def problem(self) -> str | None:
        """Say why the files as they are now are not in force; None where they are."""
        return self._problem

    def reload(self) -> None:
        """Read the files again. Handshakes from now on use them; connections that are open live on."""
        self.stamps.note()
        try:
            self._context.renew(server_context(*self._files))
        except TlsError as error:
            self._problem = f"The certificates read before stay in force. {error}"
            _log.error("certificates-not-loaded", reason=str(error))
        else:
            self._problem = None
            _log.info("certificates-loaded")
