"""Which links an announcement may carry: http and https to a named host, and nothing that reads as something else.

A link is checked here and once more by the browser half. Refused are other schemes (``javascript:``, ``data:``),
links without one (``//host``), user names and passwords (``https://bank.vn@evil.example``), and white space,
backslashes and invisible characters, which browsers drop or turn round (UTS 46 maps soft hyphens, zero-width spaces
and variation selectors in a host to nothing): what is checked must be what is opened. A path may hold them
percent-encoded.

Pure.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from notifications.announcement import MAX_URL
from notifications.characters import forbidden, unseen

_BEGINNING = re.compile(r"https?://", re.IGNORECASE)
# Forbidden host code points of the URL standard, "host parsing", apart from those refused anywhere in a link.
_NOT_IN_HOST = re.compile(r"[\x00-\x20#%/<>?@\\^`{|}\"'()*+,;=!$&~\x7f]")


def fault(link: str) -> str:
    """What is wrong with `link`; empty if nothing is."""
    if len(link) > MAX_URL:
        return f"is longer than {MAX_URL} characters"
    if any(character.isspace() for character in link) or "\\" in link:
        return "must not contain spaces or backslashes"
    if name := forbidden(link) or unseen(link):
        return f"must not contain {name}"
    if _BEGINNING.match(link) is None:
        return "must begin with https:// or http://"
    return _fault_in_host(link)


def _fault_in_host(link: str) -> str:
    try:
        parts = urlsplit(link)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is not a valid link"
    if "@" in parts.netloc:
        return "must not contain a user name or password"
    if not host:
        return "names no host"
    if not parts.netloc.startswith("[") and _NOT_IN_HOST.search(host):
        return "has a host that is not valid"
    if port == 0 or parts.netloc.endswith(":"):
        return "has a port that is not valid"
    return ""
