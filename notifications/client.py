"""How the commands find the running service, get a token and ask it something.

The service of this data directory is found by its run file; whoever may use its store needs no token, since one that is
good for a minute is made in the store directly. Another service is named with ``--server`` and takes ``--token``.

A request that acts carries an idempotency key and is repeated with it while no answer comes, so a service that is
being restarted costs a moment, not a second announcement.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import click
import msgspec
from redis.asyncio import Redis

from notifications.errors import StoreAway
from notifications.tokens import Tokens
from settings.commandline import Deployment, Failure
from store import runfile
from store.connection import connect, without_password
from store.settings import RedisSettings

# Until a restarted service or store answers again.
_PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0)
_ANSWER_SECONDS = 15.0

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


class Service(NamedTuple):
    """Where the service is; `local` if it was found on this machine, by its run file."""

    url: str
    local: bool


def find(deployment: Deployment, server: str) -> Service:
    """The service a command speaks to.

    Raises:
        Failure: None runs here, or `server` is no address of one.
    """
    if server:
        parts = urlsplit(server)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Failure(f"{server!r} is not the address of a service, such as https://portal.example.vn")
        return Service(server.rstrip("/"), local=False)
    return Service(_running(deployment).public_url.rstrip("/"), local=True)


@asynccontextmanager
async def opened_store(deployment: Deployment) -> AsyncIterator[tuple[Redis, str]]:
    """The store of this deployment, and the prefix of its keys.

    Raises:
        Failure: Its service does not run, or it does not answer.
    """
    redis = deployment.section(RedisSettings)
    url = redis.url or _running(deployment).redis_url
    client = connect(redis, url, connections=1, name="loa-command")
    try:
        yield client, redis.prefix
    except StoreAway as error:
        raise Failure(f"the store at {without_password(url)} does not answer: {error.why}") from None
    finally:
        await client.aclose()


async def token_for(deployment: Deployment, service: Service, given: str) -> str:
    """The token to send: the one that was given, else one for the next minute.

    Raises:
        Failure: None was given, and the store is not ours to make one in.
    """
    if given:
        return given
    if not service.local:
        raise Failure("a service named by --server needs a token: --token or LOA_TOKEN")
    async with opened_store(deployment) as (redis, prefix):
        return (await Tokens(redis, prefix).create_local()).text


async def act(service: Service, token: str, path: str, body: Mapping[str, object], key: str) -> dict[str, Any]:
    """Posts `body` to `path`; returns the answer.

    Raises:
        Failure: It was refused; or nobody answered, which says so and names the key to repeat it with.
    """
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    # By its run file it is on this machine, under a certificate that is made out to another name.
    connector = aiohttp.TCPConnector(ssl=not service.local)
    timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
    why = ""
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as http:
        for pause_seconds in (*_PAUSES_SECONDS, None):
            try:
                async with http.post(service.url + path, json=body, allow_redirects=False) as response:
                    answer = await _document(response)
                    if response.status < 300:
                        return answer
                    why = _sentence(answer, response.status)
                    if response.status != 503:
                        raise Failure(why)
                    on_its_way = answer.get("outcome") != "not_sent"
            except aiohttp.ClientConnectorError as error:
                on_its_way = False
                why = f"no service answers at {service.url}: {error.strerror or error}"
            except (aiohttp.ClientError, TimeoutError) as error:
                on_its_way = True
                why = f"{service.url} broke off: {str(error) or type(error).__name__}"
            if pause_seconds is not None:
                await asyncio.sleep(pause_seconds)
    advice = f"; it may have been carried out, repeat it with --key {key}" if on_its_way else ""
    raise Failure(why.rstrip(".") + advice)


def sentence(body: bytes, status: int) -> str:
    """What a problem document says, in one line."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        document = None
    return _sentence(document if isinstance(document, dict) else {}, status)


def _sentence(problem: Mapping[str, Any], status: int) -> str:
    text = problem.get("detail") or problem.get("title")
    return printable(str(text)) if text else f"the service answered {status}"


async def _document(response: aiohttp.ClientResponse) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(await response.read())
    except (msgspec.DecodeError, UnicodeDecodeError):
        document = None
    if isinstance(document, dict):
        return document
    raise Failure(f"{response.url} answered {response.status}, and not as this service does")


def unverified() -> ssl.SSLContext:
    """For the service on this machine, whose certificate is made out to another name than the loopback's."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def printable(text: str) -> str:
    """`text` without what would steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def _running(deployment: Deployment) -> runfile.RunFile:
    directory: Path = deployment.data_dir
    try:
        running = runfile.read(directory)
    except OSError as error:
        raise Failure(f"{directory}: {error.strerror}; run this as the user that runs the service") from None
    if running is None:
        raise Failure(f"no service runs on {directory}; start it with 'loa serve', or name another with --data-dir")
    return running
