"""Announcements in the words of one page: in its language, and by the clocks of the sites they are for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web
from babel.dates import format_datetime
from markupsafe import Markup

from gateway.sites import Sites
from notifications.announcement import Announcement, Audience, Severity, Status
from notifications.console import phrasing
from notifications.console.shell import Shell
from notifications.console.words import text
from notifications.people.rights import ANY_SITE

_FIELDS = {
    "severity": text("How urgent"),
    "title": text("Title"),
    "body": text("Text"),
    "url": text("Link"),
    "language": text("Language"),
    "texts": text("Further languages"),
    "sites": text("Sites"),
    "audience": text("On which pages"),
    "test": text("Test"),
    "starts_ms": text("Goes live"),
    "ends_ms": text("Ends"),
    "expires_in": text("Shown for"),
    "reason": text("Reason"),
    "status": text("State"),
    "published_ms": text("Went live"),
    "expires_ms": text("Is over"),
    "late_ms": text("Late by, ms"),
    "again": text("Shown to everybody since revision"),
    "author_name": text("Written by"),
    "approvals": text("Approvals"),
    "cap": text("CAP message"),
    "name": text("Designation"),
    "full_name": text("Full name"),
    "role": text("Role"),
    "roles": text("Roles"),
    "disabled": text("Shut out"),
    "created_ms": text("Made"),
    "made": text("Made"),
    "keys": text("Keys in the store"),
    "events": text("Events"),
    "tests": text("Tests, too"),
    "then": text("What becomes of what it posts"),
    "outcome": text("What came of it"),
}
_ROLES: Mapping[str, str] = {
    "viewer": text("Viewer"),
    "editor": text("Editor"),
    "approver": text("Approver"),
    "operator": text("Operator"),
    "admin": text("Admin"),
}
# Those who act without being people, by the names the trail has for them.
_MACHINES: Mapping[str, str] = {
    "command line": text("command line"),
    "schedule": text("schedule"),
    "first start": text("first start"),
}
_OUTCOMES: Mapping[str, str] = {"delivered": text("delivered"), "failed": text("failed"), "dead": text("given up")}
_PATTERNS = {
    "vi": {"short": "HH:mm d/M", "long": "HH:mm 'ngày' d/M/y", "second": "HH:mm:ss d/M/y"},
    "en": {"short": "d MMM, HH:mm", "long": "d MMM y, HH:mm", "second": "d MMM y, HH:mm:ss"},
}


class Wording:
    """What templates call ``words``.

    Args:
        shell: Knows the page's language.
        request: The page.
        sites: The portals.
    """

    def __init__(self, shell: Shell, request: web.Request, sites: Sites) -> None:
        self._shell = shell
        self._request = request
        self._sites = sites
        self.language = shell.language(request)

    def say(self, english: str, /, **values: object) -> str:
        """`english` in the page's language."""
        return self._shell.say(self._request, english, **values)

    def status(self, status: Status) -> str:
        """A state's name."""
        return self.say(phrasing.STATUSES[status].name)

    def status_means(self, status: Status, *, test: bool = False) -> str:
        """What a state means, of a test other than of what is for real."""
        if test and status == "live":
            return self.say(phrasing.LIVE_TEST)
        return self.say(phrasing.STATUSES[status].meaning)

    def severity(self, severity: Severity) -> str:
        """A severity's name."""
        return self.say(phrasing.SEVERITIES[severity].name)

    def severity_means(self, severity: Severity) -> str:
        """What a severity means to readers."""
        return self.say(phrasing.SEVERITIES[severity].meaning)

    def act(self, act: str) -> str:
        """What was done."""
        return self.say(phrasing.ACTS[act]) if act in phrasing.ACTS else act

    def audience(self, meant: Audience) -> str:
        """Which pages are meant."""
        return phrasing.audience(meant, self.say, self.language)

    def duration(self, seconds: int) -> str:
        """A length of time."""
        return phrasing.duration(seconds, self.say)

    def site(self, site: str) -> str:
        """What people call a site, or all of them."""
        if site == ANY_SITE:
            return self.say(text("all sites"))
        known = self._sites.get(site)
        return known.name if known is not None and known.name else site

    def sites(self, sites: Iterable[str]) -> str:
        """Several sites by their names."""
        return ", ".join(self.site(site) for site in sites)

    def text_language(self, code: str, sites: Sequence[str] = ()) -> str:
        """The language of a text; of one that does not say, that of its site."""
        if not code:
            own = {self._sites[site].language for site in sites if site in self._sites}
            if len(own) != 1:
                return self.say(text("the site’s own language"))
            code = own.pop()
        return phrasing.language_name(code, self.language)

    def language_code(self, code: str, sites: Sequence[str]) -> str:
        """The same as a tag for ``lang``."""
        return code or next((self._sites[site].language for site in sites if site in self._sites), self.language)

    def zone(self, sites: Sequence[str]) -> str:
        """The time zone of the first site; the console's where there is none."""
        return next((self._sites[site].timezone for site in sites if site in self._sites), self._shell.zone.key)

    def when(self, milliseconds: int, sites: Sequence[str], form: str = "short") -> Markup:
        """A moment by the clock of the first of `sites`; says which that is where it is not the console's."""
        name = self.zone(sites)
        zone = ZoneInfo(name)
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
        if form == "short" and moment.astimezone(zone).year != datetime.now(zone).year:
            form = "long"
        shown = format_datetime(moment, _PATTERNS[self.language][form], tzinfo=zone, locale=self.language)
        if name != self._shell.zone.key:
            shown = f"{shown} ({name})"
        return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(timespec="seconds"), shown)

    def wrong(self, detail: str) -> str:
        """What is wrong with a field."""
        return phrasing.wrong(detail, self.say)

    def field(self, name: str) -> str:
        """What people call a member of what the audit trail tells of."""
        return self.say(_FIELDS[name]) if name in _FIELDS else name

    def value(self, name: str, value: Any, sites: Sequence[str]) -> str | Markup:  # noqa: PLR0911, PLR0912  a line for each kind
        """A member's value, as the audit trail has it."""
        if name != "late_ms" and name.endswith("_ms") and isinstance(value, int) and value:
            return self.when(value, sites)
        if isinstance(value, bool) or name in {"test", "tests"}:
            return self.say(text("yes") if value else text("no"))
        if not value:
            return self.say(text("nothing"))
        if name in {"status", "then"} and value in phrasing.STATUSES:
            return self.status(value)
        if name == "severity" and value in phrasing.SEVERITIES:
            return self.severity(value)
        if name == "sites":
            return self.sites(value)
        if name == "role":
            return self.role(value)
        if name in {"name", "author_name"}:
            return self.person(value)
        if name == "roles" and isinstance(value, Mapping):
            return ", ".join(f"{self.role(role)}: {self.sites([site])}" for site, role in value.items())
        if name == "outcome" and value in _OUTCOMES:
            return self.say(_OUTCOMES[value])
        if name == "expires_in":
            return self.duration(value)
        if name == "language":
            return self.text_language(value)
        if name == "texts" and isinstance(value, Mapping):
            return "\n\n".join(f"{self.text_language(code)}: {_parts(each)}" for code, each in value.items())
        if name == "audience" and isinstance(value, Mapping):
            return self.audience(msgspec.convert(value, Audience))
        return _plain(value)

    def person(self, name: str) -> str:
        """Whoever acted, in the page's language where it was no person."""
        return self.say(_MACHINES[name]) if name in _MACHINES else name

    def role(self, role: str) -> str:
        """What a role is called."""
        return self.say(_ROLES[role]) if role in _ROLES else role

    def ends(self, one: Announcement) -> str | Markup:
        """When it is over, or for how long it is shown once it is live."""
        end_ms = one.expires_ms or one.ends_ms
        return self.when(end_ms, one.sites) if end_ms else self.duration(one.expires_in)


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_plain(each)}" for key, each in value.items() if each not in (None, ""))
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return str(value)


def _parts(said: object) -> str:
    return "\n".join(str(each) for each in said.values() if each) if isinstance(said, Mapping) else str(said)
