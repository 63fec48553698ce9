"""How the commands find the running service, get a token and ask it something.

The service of this data directory is found by its run file; whoever may use its store needs no token, since one that
outlasts all tries is made in the store directly. Another service is named with ``--server`` and takes ``--token``.

A request that acts carries an idempotency key and is repeated with it while no answer comes, so a service that is
being restarted costs a moment, not a second announcement; where its supervisor is seen to live, a longer one. Once a
try may have been carried out, nothing but an answer to a later one says that it was, and nothing at all that it was
not: whatever then goes wrong names the key.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import aiohttp
import click
import msgspec
from redis.asyncio import Redis

from notifications.errors import StoreAway
from notifications.links import fault
from notifications.tokens import Tokens
from settings.commandline import Deployment, Failure
from settings.progress import progress
from store import runfile
from store.connection import connect, without_password
from store.errors import NOT_UNDERSTOOD, reason
from store.refusal import failing, kept_out
from store.running import running
from store.settings import RedisSettings

# Until a restarted service or store answers again. Together shorter than ``tokens.LOCAL_SECONDS``.
PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0)
# Of a service whose supervisor lives: workers that all died at once come back one restart delay and one start later,
# and a machine that is busy enough to lose them takes its time for both.
RESTART_SECONDS = 30.0
ANSWER_SECONDS = 15.0
# Told apart from the answer: nothing has been sent before there is a connection.
_CONNECT_SECONDS = 5.0

_Outcome: TypeAlias = Literal["done", "refused", "away", "not_sent", "unknown"]

_TOKEN = re.compile(r"[!-~]+", re.ASCII)

SERVER = click.option(
    "--server",
    envvar="LOA_URL",
    show_envvar=True,
    default="",
    help="Where the service is, https://…  [default: the one on this data directory]",
)
TOKEN = click.option(
    "--token",
    envvar="LOA_TOKEN",
    show_envvar=True,
    default="",
    help="An editor's token.  [default: none is needed where the store can be reached]",
)


class StoreDown(Failure):
    """The store of this deployment does not answer."""


class Service(NamedTuple):
    """Where the service is.

    Attributes:
        url: Its address.
        local: Whether it was found on this machine, by its run file.
        supervisor: Then: the process that replaces its workers.
    """

    url: str
    local: bool
    supervisor: int = 0

    def restarting(self) -> bool:
        """Whether somebody sees to it that it answers again, although nobody answers now."""
        return self.supervisor != 0 and runfile.alive(self.supervisor)


def find(deployment: Deployment, server: str) -> Service:
    """The service a command speaks to.

    Raises:
        Failure: None runs here, or `server` is no address of one.
    """
    if server:
        if why := _fault(server):
            raise Failure(f"{server!r} is not the address of a service, such as https://portal.example.vn: it {why}")
        return Service(urlsplit(server).geturl().rstrip("/"), local=False)
    found = running(deployment)
    return Service(found.public_url.rstrip("/"), local=True, supervisor=found.pid)


def _fault(server: str) -> str:
    if why := fault(server):
        return why
    if "?" in server or "#" in server:
        return "must end with the host or a path"
    try:
        # As looking it up does, which fails with no error of the network's.
        (urlsplit(server).hostname or "").encode("idna")
    except UnicodeError:
        return "has a host that is not valid"
    return ""


@asynccontextmanager
async def opened_store(deployment: Deployment) -> AsyncIterator[tuple[Redis, str]]:
    """The store of this deployment, and the prefix of its keys.

    Raises:
        Failure: Its service does not run, or it does not answer.
    """
    redis = deployment.section(RedisSettings)
    url = redis.url or running(deployment).redis_url
    client = connect(redis, url, connections=1, name="loa-command")
    try:
        yield client, redis.prefix
    except StoreAway as error:
        cause = error.__cause__ or error
        why = f"the store at {without_password(url)} {failing(cause)}"
        raise StoreDown(f"{why}; {kept_out(cause) or 'does it run, and is redis.url right?'}") from None
    finally:
        await client.aclose()


async def token_for(deployment: Deployment, service: Service, given: str) -> str:
    """The token to send: the one that was given, else one for this command alone.

    Raises:
        Failure: What was given can be none; or none was given, and the store is not ours to make one in, or away.
    """
    if given:
        if _TOKEN.fullmatch(given) is None:
            raise Failure("--token or LOA_TOKEN is no token: it has spaces, line breaks or other foreign characters")
        return given
    if not service.local:
        raise Failure("a service named by --server needs a token: --token or LOA_TOKEN")
    for pause_seconds in (*PAUSES_SECONDS, None):
        try:
            async with opened_store(deployment) as (redis, prefix):
                return (await Tokens(redis, prefix).create_local()).text
        except StoreDown as error:
            if pause_seconds is None:
                raise Failure(f"Not sent: {error.message}") from None
            await asyncio.sleep(pause_seconds)
    raise AssertionError


async def act(
    service: Service, token: str, path: str, body: Mapping[str, object] | bytes, key: str, *, kind: str = ""
) -> dict[str, Any]:
    """Posts `body` to `path`, several times if need be; returns the answer.

    On a terminal it shows that it tries again, and for how long.

    Args:
        service: Where.
        token: Whose.
        path: Where there.
        body: A document that is sent as JSON, or bytes.
        key: The idempotency key.
        kind: Of bytes: their content type.

    Raises:
        Failure: It was refused, or nobody answered. If any of the tries may have been carried out it says so, whatever
            came of the last, and names the key to repeat it with.
    """
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    if kind:
        headers["Content-Type"] = kind
    # By its run file it is on this machine, under a certificate that is made out to another name.
    connector = aiohttp.TCPConnector(ssl=not service.local)
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, connect=_CONNECT_SECONDS)
    why, advice = "", ""
    began_at = time.monotonic()
    async with AsyncExitStack() as stack:
        session = aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers)
        http = await stack.enter_async_context(session)
        for tries in itertools.count():
            tried = await _try(http, service, path, body)
            if tried.answer is not None:
                return tried.answer
            if tried.outcome == "unknown":
                advice = f"; it may have been carried out, repeat it with --key {key}"
            # That a later try was not sent says nothing of the one before, and must not be the last word.
            if not (tried.outcome == "not_sent" and advice):
                why = tried.why
            pause_seconds = _pause(service, tried.outcome, tries, time.monotonic() - began_at)
            if pause_seconds is None:
                break
            if tries == 0:
                stack.enter_context(progress()).add_task("No answer yet, trying again", total=None)
            await asyncio.sleep(pause_seconds)
    raise Failure(why.rstrip(".") + advice)


def _pause(service: Service, outcome: _Outcome, tries: int, spent_seconds: float) -> float | None:
    """Seconds until the next try; None after the last.

    Args:
        service: Who is asked.
        outcome: Of this try.
        tries: How many there were before it.
        spent_seconds: How long all of them took, with their pauses.
    """
    if outcome == "refused":
        return None
    if tries < len(PAUSES_SECONDS):
        return PAUSES_SECONDS[tries]
    if outcome == "away" and spent_seconds < RESTART_SECONDS and service.restarting():
        return PAUSES_SECONDS[-1]
    return None


class _Try(NamedTuple):
    """What came of one try.

    Attributes:
        outcome: `done`; `refused`, which will be no other the next time; `away`, nobody was there to send it to;
            `not_sent`, the service says that it did nothing; `unknown`, it may have been carried out.
        why: What went wrong, in one line.
        answer: If it is done.
    """

    outcome: _Outcome
    why: str
    answer: dict[str, Any] | None = None


class _Acknowledged(msgspec.Struct):
    """What is printed of an answer, and what tells it from that of some other service."""

    id: str
    sessions: int
    durability: str
    replayed: bool


async def _try(http: aiohttp.ClientSession, service: Service, path: str, body: Mapping[str, object] | bytes) -> _Try:
    sent: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
    try:
        async with http.post(service.url + path, **sent, allow_redirects=False) as response:
            return _judged(service, response.status, await response.read())
    except aiohttp.InvalidURL:
        return _Try("refused", f"{service.url!r} is not the address of a service")
    except aiohttp.ClientConnectorError as error:
        return _Try("away", f"no service answers at {service.url}: {error.strerror or error}")
    except aiohttp.ConnectionTimeoutError:
        return _Try("away", f"no service answers at {service.url} within {_CONNECT_SECONDS:g} s")
    except TimeoutError:
        return _Try("unknown", f"{service.url} did not answer within {ANSWER_SECONDS:g} s")
    except aiohttp.ClientError as error:
        return _Try("unknown", f"{service.url} broke off: {reason(error)}")


def _judged(service: Service, status: int, body: bytes) -> _Try:
    """What an answer says of the request; of a 5xx, which may come from a proxy, no more than is certain."""
    answer = _document(body)
    if answer is None:
        why = f"{service.url} answered {status}, and not as this service does"
        return _Try("refused" if 300 <= status < 500 else "unknown", why)
    if status < 300:
        try:
            msgspec.convert(answer, _Acknowledged)
        except msgspec.ValidationError:
            return _Try("unknown", f"{service.url} answered {status}, and not as this service does")
        return _Try("done", "", answer)
    why = _sentence(answer, status)
    if status < 500:
        return _Try("refused", why)
    return _Try("not_sent" if status == 503 and answer.get("outcome") == "not_sent" else "unknown", why)


def sentence(body: bytes, status: int) -> str:
    """What a problem document says, in one line."""
    return _sentence(_document(body) or {}, status)


def _sentence(problem: Mapping[str, Any], status: int) -> str:
    text = problem.get("detail") or problem.get("title")
    return printable(str(text)) if text else f"the service answered {status}"


def _document(body: bytes) -> dict[str, Any] | None:
    """The JSON object that `body` is, if it is one."""
    try:
        document = msgspec.json.decode(body)
    except NOT_UNDERSTOOD:
        return None
    return document if isinstance(document, dict) else None


def unverified() -> ssl.SSLContext:
    """For the service on this machine, whose certificate is made out to another name than the loopback's."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def printable(text: str) -> str:
    """`text` without what would steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
