"""What is said of a portal's page that is to show the widget. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from gateway.origins import Origins
from operations.doctor.finding import Finding, bad, ok, warning
from operations.doctor.policy import Page, Tag, missing, needs, origin, policies, split


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """A page as it came.

    Attributes:
        url: Where it was in the end.
        status: Of HTTP; 0: no answer.
        failure: Why there was none.
        headers: The values of its Content-Security-Policy lines.
        html: Its text, as far as it was read.
    """

    url: str
    status: int = 0
    failure: str = ""
    headers: list[str] = []
    html: str = ""


def page(fetched: Fetched, read: Page, sites: Mapping[str, Sequence[str]], public_url: str) -> list[Finding]:
    """What is right and wrong with the embed of a page, and with its policy.

    Args:
        fetched: The page.
        read: What is in it.
        sites: The configured sites, id → origins.
        public_url: Where browsers reach Loa; empty if it is not known.
    """
    if fetched.status != 200:
        why = f"answers {fetched.status}" if fetched.status else f"does not answer: {fetched.failure}"
        return [bad("page", f"{fetched.url} {why}", "give the address of a page that readers see")]
    tag = next((one for one in read.tags if _ours(one, public_url)), None)
    if tag is None:
        elsewhere = f"; it has one from {read.tags[0].src}" if read.tags else ""
        remedy = "paste the lines of 'loa snippet' into it"
        return [bad("page", f"{fetched.url} has no script of Loa with data-site{elsewhere}", remedy)]
    found = [ok("page", f"has {tag.src} for site {tag.site}"), *_mixed(fetched, tag), _site(fetched, tag, sites)]
    if not read.elements:
        what = "has no <loa-counter>: announcements are shown, no number is"
        found.append(warning("page, counter", what, "put <loa-counter></loa-counter> where the number is to be"))
    return [*found, *_policy(fetched, read, tag)]


def _ours(tag: Tag, public_url: str) -> bool:
    """Whether it loads the widget; from the address browsers reach us by, where that is known."""
    if public_url:
        return origin(tag.src) == origin(public_url)
    return split(tag.src).path.rpartition("/")[2].startswith("widget")


def _mixed(fetched: Fetched, tag: Tag) -> list[Finding]:
    if urlsplit(fetched.url).scheme == "https" and split(tag.src).scheme == "http":
        return [bad("page, https", "loads the widget by http, which browsers refuse", "write https:// in its src")]
    return []


def _site(fetched: Fetched, tag: Tag, sites: Mapping[str, Sequence[str]]) -> Finding:
    name = "page, origin"
    patterns = sites.get(tag.site)
    if patterns is None:
        what = f"names the site {tag.site!r}, which is not configured"
        return bad(name, what, f"use one of {', '.join(sites)}" if sites else "add it to the settings")
    own = origin(fetched.url)
    if not Origins(patterns).allow(own):
        return bad(name, f"{own} may not connect to the site {tag.site}", f'add "{own}" to sites.{tag.site}.origins')
    return ok(name, f"{own} may connect to the site {tag.site}")


def _policy(fetched: Fetched, read: Page, tag: Tag) -> list[Finding]:
    found = policies(fetched.headers, read.policies)
    name = "page, Content-Security-Policy"
    if not found:
        return [ok(name, "there is none, so nothing is forbidden")]
    lacking = missing(found, fetched.url, needs(tag.src, read), tag)
    if not lacking:
        return [ok(name, "allows all the widget needs; of style-src it needs nothing")]
    return [
        bad(
            name,
            f"{need.directive} does not allow {need.source}, {need.purpose}",
            f"add {need.source} to {need.directive}",
        )
        for need in lacking
    ]
