"""What each check says of the facts that were gathered. Pure: every one is a plain call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import msgspec

from operations.doctor.finding import Finding, bad, ok, unknown, warning
from store.condition import OLDEST, recognise, troubles

_SLOW_MS = 5.0
_TOO_SLOW_MS = 50.0
_CLOCK_SECONDS = 2.0
_CERTIFICATE_DAYS = 21.0
_FULL = 0.8
# Under these of a country, as under the country's own, strangers have names: a pattern over all of them is none.
_SECOND_LEVEL = frozenset(
    {"com", "net", "org", "gov", "edu", "ac", "co", "biz", "info", "name", "health", "int", "pro"}
)
_COUNTRY_LETTERS = 2


class StoreFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the store says.

    Attributes:
        address: Without a password; empty if there is none, as of our own that does not run.
        failure: Why it could not be asked; empty if it answered.
        remedy: What to do about that, where more is known than that it does not answer.
        info: All of INFO; empty where it may not be asked for.
        settings: Of CONFIG GET; empty where it may not be asked for.
        answers_ms: How long some commands took.
        ahead_seconds: Its clock against this machine's.
        layout: The refusal of its layout of keys; empty if it is ours.
        admins: How many users may sign in and are admin somewhere; None if that is not known.
        embedded: Whether it is Loa's own.
    """

    address: str
    failure: str = ""
    remedy: str = ""
    info: dict[str, Any] = {}
    settings: dict[str, str] = {}
    answers_ms: list[float] = []
    ahead_seconds: float = 0.0
    layout: str = ""
    admins: int | None = None
    embedded: bool = False


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """What came of going to an address as a browser does.

    Attributes:
        url: Where.
        script: The status of ``/widget.js``; 0: no answer.
        socket: The status of the upgrade, 101 if it went through; 0: no answer.
        failure: Why there was no answer, the first of them.
        certificate_days: Until its certificate ends; None without TLS, or where it could not be read.
    """

    url: str
    script: int = 0
    socket: int = 0
    failure: str = ""
    certificate_days: float | None = None


def descriptors(allowed: int, sessions: int, others: int, spare: int) -> Finding:
    """Whether a worker may open as many files as connections are configured; `allowed` < 0: without a limit."""
    needed = sessions + others + spare
    said = f"a process may open {'any number of' if allowed < 0 else f'{allowed:,}'} files, a worker needs {needed:,}"
    if 0 <= allowed < needed:
        remedy = (
            f"raise the hard limit (ulimit -Hn {needed}, LimitNOFILE={needed}) or lower gateway.sessions_per_worker"
        )
        return bad("descriptors", said, remedy)
    return ok("descriptors", said)


def store(facts: StoreFacts) -> list[Finding]:
    """All that can be said of the store."""
    if facts.failure:
        # Our own that does not run with its service is no fault of its own.
        say = bad if facts.address else unknown
        return [say("store", facts.failure, facts.remedy or "see redis.url and the store's own log")]
    found = [_version(facts), *_condition(facts)]
    if facts.info:
        found += [_persistence(facts), _memory(facts)]
    found += [_latency(facts), _clock(facts)]
    if facts.layout:
        what, _, remedy = facts.layout.partition("; ")
        found.append(bad("layout of keys", what, remedy))
    else:
        found.append(ok("layout of keys", "is the one this release writes"))
    return found


def leases(facts: StoreFacts) -> list[Finding]:
    """All that can be said of a server that only leases are in: they need no file, and come back by themselves."""
    if facts.failure:
        return [bad("leases: store", facts.failure, facts.remedy or "see presence.redis_url and the store's own log")]
    found = [_version(facts), *_condition(facts)]
    if facts.info:
        found.append(_memory(facts))
    found += [_latency(facts), _clock(facts)]
    return [msgspec.structs.replace(one, check=f"leases: {one.check}") for one in found]


def _version(facts: StoreFacts) -> Finding:
    server = recognise(facts.info)
    if server is None:
        remedy = "let the ACL user run INFO (+info), so that readiness can name what is wrong"
        return unknown("store", f"{facts.address} does not say what it is", remedy)
    newest = OLDEST[server.product]
    if server.too_old:
        return bad("store", f"is {server}", f"use {server.product} {newest[0]}.{newest[1]} or later")
    return ok("store", f"{server} at {facts.address}")


def _condition(facts: StoreFacts) -> list[Finding]:
    """What keeps Loa from relying on it, named as at start."""
    return [
        bad("eviction" if one.name == "evicting" else "condition", f"the store {one.what}", one.remedy)
        for one in troubles(facts.info)
        if one.name != "too old"
    ]


def _persistence(facts: StoreFacts) -> Finding:
    if not facts.info.get("aof_enabled"):
        what = "the store keeps no append-only file: an announcement that was confirmed is lost with it"
        return warning("persistence", what, "set appendonly yes")
    if facts.settings.get("appendfsync") == "no":
        return warning(
            "persistence", "the append-only file is flushed when the system likes", "set appendfsync everysec"
        )
    return ok(
        "persistence", "append-only file, " + (facts.settings.get("appendfsync") or "flushed as configured there")
    )


def _memory(facts: StoreFacts) -> Finding:
    info = facts.info
    most, used = float(info.get("maxmemory") or 0), float(info.get("used_memory") or 0)
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction" and not most:
        what = f"maxmemory-policy is {policy}: should a maxmemory be set, announcements and users may be thrown away"
        return warning("memory", what, "set maxmemory-policy noeviction")
    if not most:
        return ok("memory", f"{used / 1e6:,.1f} MB in use, no maxmemory, {policy}")
    said = f"{used / 1e6:,.1f} of {most / 1e6:,.1f} MB in use, {policy}"
    if used > _FULL * most:
        return warning("memory", said, "raise maxmemory before it is reached: every write is refused then")
    return ok("memory", said)


def _latency(facts: StoreFacts) -> Finding:
    if not facts.answers_ms:
        return unknown("latency", "was not measured", "")
    middle, worst = median(facts.answers_ms), max(facts.answers_ms)
    said = f"the store answers in {middle:.1f} ms, {worst:.1f} ms at worst"
    remedy = "bring it nearer to this machine, and look for slow commands of others (SLOWLOG GET)"
    if middle > _TOO_SLOW_MS:
        return bad("latency", said, remedy)
    return warning("latency", said, remedy) if middle > _SLOW_MS else ok("latency", said)


def _clock(facts: StoreFacts) -> Finding:
    ahead = facts.ahead_seconds
    said = f"the store's clock is {abs(ahead):.1f} s {'ahead of' if ahead >= 0 else 'behind'} this machine's"
    if abs(ahead) > _CLOCK_SECONDS:
        return warning("clock", said, "run chrony or another NTP client on both; Loa goes by the store's clock")
    return ok("clock", said)


def people(admins: int | None) -> Finding:
    """Whether anybody can manage the console."""
    if admins is None:
        return unknown("users", "the store could not be asked", "")
    if not admins:
        return warning("users", "nobody can manage the console: no admin is enabled", "loa user add NAME --role admin")
    return ok("users", f"{admins} enabled admin{'' if admins == 1 else 's'}")


def reach(check: str, reached: Reached, *, at_a_proxy: bool) -> list[Finding]:
    """Whether browsers get the widget and a WebSocket at an address; `at_a_proxy` is where one stands before us."""
    if not reached.script and not reached.socket:
        remedy = "see DNS, firewall and proxy" if at_a_proxy else "start it with 'loa serve', or name its --data-dir"
        return [bad(check, f"{reached.url} does not answer: {reached.failure}", remedy)]
    found = []
    if reached.script == 200:
        found.append(ok(check, f"{reached.url}/widget.js is served"))
    else:
        remedy = "pass all of its paths on to Loa" if at_a_proxy else "see the log of the service"
        found.append(bad(check, f"{reached.url}/widget.js answers {reached.script or reached.failure}", remedy))
    name = f"{check}, WebSocket"
    if reached.socket == 101:
        found.append(ok(name, "an upgrade goes through"))
    elif reached.socket in {403, 404, 429, 503}:
        found.append(bad(name, f"the upgrade is answered {reached.socket}", _REFUSED[reached.socket]))
    else:
        what = f"the upgrade is answered {reached.socket or reached.failure}"
        remedy = "pass Upgrade and Connection on, by HTTP/1.1 (docs/running.md, Behind nginx); browsers poll until then"
        found.append(bad(name, what, remedy if at_a_proxy else "see the log of the service"))
    return found


_REFUSED = {
    403: "add the page's origin to origins of the site",
    404: "pass /ws on to Loa",
    429: "see gateway.sessions_per_address; behind a proxy, set gateway.trusted_proxies",
    503: "the workers are full: see gateway.sessions_per_worker, or add machines",
}


def certificate(check: str, reached: Reached) -> Finding | None:
    """How long the certificate at an address holds; None where there is none."""
    days = reached.certificate_days
    if days is None:
        return None
    if days < 0:
        return bad(check, f"ended {-days:.0f} days ago", "renew it; browsers refuse it")
    said = f"ends in {days:.0f} days"
    return warning(check, said, "renew it") if days < _CERTIFICATE_DAYS else ok(check, said)


def public_address(url: str) -> Finding:
    """Whether the address that browsers use is named, and is one of a page of today."""
    if not url:
        return warning(
            "public address",
            "server.public_url is empty: only this machine is known to reach it",
            "set server.public_url",
        )
    if urlsplit(url).scheme != "https":
        return warning("public address", f"{url} is not https: pages of https cannot use it", "put TLS before it")
    return ok("public address", url)


def readiness(reasons: Sequence[str] | None, failure: str) -> Finding:
    """What the service says of itself; None if it could not be asked."""
    if reasons is None:
        return unknown("readiness", f"could not be asked: {failure}", "see operations.host and operations.port")
    if reasons:
        return bad("readiness", "; ".join(reasons), "see the log of the service")
    return ok("readiness", "the service is ready")


def origins(sites: Mapping[str, Sequence[str]]) -> list[Finding]:
    """Whether each site says whose pages may connect, and not everybody's."""
    if not sites:
        return [bad("origins", "there is no site", "add [sites.<id>] with origins")]
    found = []
    for id, patterns in sites.items():
        name = f"origins of {id}"
        loose = [one for one in patterns if _loose(one)]
        if not patterns:
            found.append(bad(name, "none: no page may connect", f"set sites.{id}.origins"))
        elif loose:
            what = f"{', '.join(loose)} lets pages of strangers be counted here"
            found.append(warning(name, what, f"name the portal's own hosts in sites.{id}.origins"))
        else:
            found.append(ok(name, ", ".join(patterns)))
    return found


def _loose(pattern: str) -> bool:
    """Whether strangers own hosts of it: a wildcard right before a public ending, ``*.vn``, ``*.com.vn``."""
    host = pattern.partition("://")[2].partition(":")[0]
    if not host.startswith("*."):
        return False
    labels = host[2:].split(".")
    if len(labels) == 1:
        return True
    return len(labels) == 2 and labels[0] in _SECOND_LEVEL and len(labels[1]) == _COUNTRY_LETTERS
