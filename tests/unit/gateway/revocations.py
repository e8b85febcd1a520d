"""Lists of revoked certificates (RFC 5280, section 5), as the authorities of these tests publish them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

_DAY = timedelta(days=1)


def revocations(authority: trustme.CA, *certificates: Path, lasts: timedelta = _DAY) -> bytes:
    """Make an authority's list as PEM; each file's first certificate is on it."""
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    key = cast("EllipticCurvePrivateKey", load_pem_private_key(authority.private_key_pem.bytes(), None))
    now = datetime.now(UTC)
    made = x509.CertificateRevocationListBuilder(issuer.subject, now - 2 * _DAY, now + lasts)
    for each in certificates:
        revoked = x509.RevokedCertificateBuilder(_serial_number(each), now - _DAY).build()
        made = made.add_revoked_certificate(revoked)
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM)


def _serial_number(file: Path) -> int:
    pem = file.read_bytes()
    return x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN CERTIFICATE") :]).serial_number
