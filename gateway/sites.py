"""The portals this service speaks for, section ``[sites.<id>]``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, ClassVar, Generic, Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta, Struct
from msgspec.structs import replace

from gateway.origins import PATTERN

SITE_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", re.ASCII)


class SiteSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One portal.

    Attributes:
        name: What people call it; shown to editors.
        origins: Whose pages may connect: `https://portal.example.vn`, `https://*.example.vn`, `http://localhost:*`.
        language: Language of its pages where a page does not say, `vi` or `en`.
        small_counts: Numbers of readers below this are shown as "fewer than" it; 0: all are shown as they are.
        timezone: Where its midnight is, by the IANA name.
    """

    LIVE: ClassVar = frozenset({"name", "origins", "language", "small_counts"})

    name: str = ""
    origins: list[str] = []
    language: Literal["vi", "en"] = "vi"
    small_counts: Annotated[int, Meta(ge=0, le=1000)] = 0
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

V = TypeVar("V")
M = TypeVar("M")


class LiveSites(Mapping[str, SiteSettings]):
    """The sites in force: whoever holds this sees them come, change and go."""

    def __init__(self, sites: Sites) -> None:
        self._sites = dict(sites)

    def adopt(self, sites: Sites) -> None:
        """From now on they are `sites`; one that is as it was stays the same object."""
        before = self._sites
        self._sites = {id: before[id] if before.get(id) == one else one for id, one in sites.items()}

    def __getitem__(self, site: str) -> SiteSettings:
        return self._sites[site]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sites)

    def __len__(self) -> int:
        return len(self._sites)


class OfEach(Mapping[str, M], Generic[V, M]):
    """What is made of each site, made when it is first asked for and again when the site is another object.

    Args:
        sites: The sites, or what there is of each.
        make: Makes it, of a site's id and what there is of it.
    """

    __slots__ = ("_made", "_make", "_sites")

    def __init__(self, sites: Mapping[str, V], make: Callable[[str, V], M]) -> None:
        self._sites = sites
        self._make = make
        self._made: dict[str, tuple[V, M]] = {}

    def __getitem__(self, site: str) -> M:
        of = self._sites[site]
        made = self._made.get(site)
        if made is None or made[0] is not of:
            made = self._made[site] = (of, self._make(site, of))
        return made[1]

    def __iter__(self) -> Iterator[str]:
        # Of a moment: sites may come while somebody waits between two of them.
        return iter([*self._sites])

    def __len__(self) -> int:
        return len(self._sites)


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
