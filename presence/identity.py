"""Who a reader is: a random id that only we can issue, and the name Redis knows it by, which changes every day.

A token is ``v1.<id>.<signature>``, 42 characters: 96 random bits and a signature (HMAC-SHA256, RFC 2104, cut to 128
bits) over the site and the id, both base64url without padding (RFC 4648, section 5). The signature binds it to the
site: a portal cannot follow its readers to another one. It says nothing about the person and is no login.

What Redis holds is a keyed hash of the id (BLAKE2b as a MAC, RFC 7693, 96 bits) whose key is derived for one site
and one local day. Without the secret nobody can tell which id it is of, nor, across midnight, that two are of one
reader.

Pure: no clock and no I/O but the kernel's random numbers.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import urlsafe_b64encode

VERSION = "v1."
ID_BYTES, ID_CHARACTERS = 12, 16
_IDS_DRAWN = 64
_SIGNATURE_BYTES, _SIGNATURE_CHARACTERS = 16, 22
_ID = slice(len(VERSION), len(VERSION) + ID_CHARACTERS)
_DOT = _ID.stop
_LENGTH = _DOT + 1 + _SIGNATURE_CHARACTERS
NAME_BYTES = 12


class Identity:
    """Issues, verifies and names readers.

    Args:
        secret: The same on all workers and nodes; see :mod:`presence.secret`.
    """

    __slots__ = ("_drawing", "_drawn", "_naming", "_signing")

    def __init__(self, secret: bytes) -> None:
        self._signing = hmac.digest(secret, b"loa reader token v1", "sha256")
        self._drawing = b""
        self._drawn = 0
        self._naming = hmac.digest(secret, b"loa reader name v1", "sha256")

    def issue(self, site: str) -> str:
        """A token for a reader nobody has seen before."""
        reader = urlsafe_b64encode(self._random())
        return f"{VERSION}{reader.decode()}.{self._signature(site, reader).decode()}"

    def verify(self, site: str, token: str) -> bytes | None:
        """The id in `token`, or None where we did not issue it for `site`. Takes the same time whatever is wrong."""
        if len(token) != _LENGTH or not token.isascii() or token[:3] != VERSION or token[_DOT] != ".":
            return None
        reader = token[_ID].encode()
        if hmac.compare_digest(self._signature(site, reader), token[_DOT + 1 :].encode()):
            return reader
        return None

    def _random(self) -> bytes:
        """Random bytes for one id. The kernel is asked for those of many at once: asking costs more than drawing."""
        if self._drawn == len(self._drawing):
            self._drawing = os.urandom(ID_BYTES * _IDS_DRAWN)
            self._drawn = 0
        begin = self._drawn
        self._drawn += ID_BYTES
        return self._drawing[begin : self._drawn]

    def key_of_day(self, site: str, day: str) -> bytes:
        """The key of the names of one site on one of its days; keep it while the day lasts.

        Args:
            site: Id of the site.
            day: Its local date, ``2026-11-23``.
        """
        return hmac.digest(self._naming, f"{site}\0{day}".encode(), "sha256")

    def member(self, site: str, reader: bytes, day: str) -> bytes:
        """What Redis holds of a reader on one day, 12 bytes."""
        return name(self.key_of_day(site, day), reader)

    def _signature(self, site: str, reader: bytes) -> bytes:
        digest = hmac.digest(self._signing, b"%b\0%b" % (site.encode(), reader), "sha256")
        return urlsafe_b64encode(digest[:_SIGNATURE_BYTES])[:_SIGNATURE_CHARACTERS]


def reader_of(token: str) -> bytes:
    """The id in a token that we have just issued, unverified."""
    return token[_ID].encode()


def derived(secret: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for something else than readers' tokens and names, which says nothing of the secret."""
    return hmac.digest(secret, purpose.encode(), "sha256")


def name(key: bytes, reader: bytes) -> bytes:
    """The name of `reader` under the key of a day."""
    return hashlib.blake2b(reader, digest_size=NAME_BYTES, key=key).digest()
