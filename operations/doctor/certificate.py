"""When a certificate ends, read from its DER. Pure.

Source: RFC 5280, section 4.1 (``TBSCertificate``: version, serial number, signature, issuer, *validity*, …) and 4.1.2.5
(its two forms of time). The standard library reads certificates into words only once it trusts them, and one that has
ended is what is looked for here.
"""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime

_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s.*?-----END CERTIFICATE-----", re.DOTALL)


def first_of(pem: str) -> bytes:
    """The DER of the first certificate in a PEM file.

    Raises:
        ValueError: There is none.
    """
    found = _PEM.search(pem)
    if found is None:
        raise ValueError("no certificate")
    return ssl.PEM_cert_to_DER_cert(found[0])


def end_of(der: bytes) -> datetime:
    """When the certificate ends.

    Raises:
        ValueError: It is none.
    """
    tbs = _inside(_inside(der, _SEQUENCE)[0], _SEQUENCE)[0]
    if tbs[:1] == bytes([_VERSION]):
        tbs = _inside(tbs, _VERSION)[1]
    # Serial number, algorithm, issuer.
    for tag in (0x02, _SEQUENCE, _SEQUENCE):
        tbs = _inside(tbs, tag)[1]
    validity = _inside(tbs, _SEQUENCE)[0]
    after = _inside(validity, validity[0] if validity else 0)[1]
    tag = after[0] if after else 0
    text = _inside(after, tag)[0].decode("ascii")
    if tag == _UTC_TIME:
        # Two digits: 1950 to 2049.
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("no time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _inside(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the element that `der` begins with, whose tag is `tag`, and what follows it."""
    if len(der) < 2 or der[0] != tag:
        raise ValueError("not the element that belongs here")
    length, start = der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start], "big")
    if start + length > len(der):
        raise ValueError("cut off")
    return der[start : start + length], der[start + length :]
