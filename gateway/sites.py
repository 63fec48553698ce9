"""The portals this service speaks for, section ``[sites.<id>]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct
from msgspec.structs import replace

from gateway.origins import PATTERN

SITE_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", re.ASCII)


class SiteSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One portal.

    Attributes:
        name: What people call it; shown to editors.
        origins: Whose pages may connect: `https://portal.example.vn`, `https://*.example.vn`, `http://localhost:*`.
        language: Language of its pages where a page does not say, `vi` or `en`.
        timezone: Where its midnight is, by the IANA name.
    """

    name: str = ""
    origins: list[str] = []
    language: Literal["vi", "en"] = "vi"
    timezone: str = "Asia/Ho_Chi_Minh"

    def __post_init__(self) -> None:
        for origin in self.origins:
            if PATTERN.fullmatch(origin) is None:
                raise ValueError(
                    f"{origin!r} in origins is not of the form https://host, https://*.host or http://host:port"
                )
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"timezone {self.timezone!r} is not an IANA name such as Asia/Ho_Chi_Minh") from None


Sites: TypeAlias = Mapping[str, SiteSettings]


def with_own_pages(sites: Sites, public_url: str) -> dict[str, SiteSettings]:
    """The sites, each of which lets the service's own pages connect besides: the one for a frame is counted by them.

    By the address that is configured, not by what a request says in ``Host``: a stranger's name may point to us.

    Args:
        sites: As they are configured.
        public_url: How browsers reach the service.
    """
    parts = urlsplit(public_url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    # As browsers write it, without the port that goes without saying.
    port = "" if parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f":{parts.port}"
    own = f"{parts.scheme}://{host}{port}"
    return {id: replace(site, origins=[*site.origins, own]) for id, site in sites.items()}
