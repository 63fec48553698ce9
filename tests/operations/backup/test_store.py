"""What is taken from one store is put into another, on both servers."""

from __future__ import annotations

import asyncio
import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from notifications.actor import OPERATOR
from notifications.announcement import Change
from notifications.audit import Verifier
from notifications.keys import Keys
from notifications.log import Log
from notifications.people.known import known
from notifications.people.user import User
from notifications.settings import NotificationsSettings
from notifications.tokens import Tokens
from notifications.trail import Trail
from notifications.view import View
from operations.backup.errors import StillServed
from operations.backup.form import About, Writer, check
from operations.backup.putting import present, put, refuse_if_served
from operations.backup.taking import Taken, take
from store.connection import connect
from store.layout import LAYOUT
from store.settings import RedisSettings
from tests.notifications.making import by, draft
from tests.notifications.people.conftest import CHEAP, PASSWORD

ABOUT = About(loa="1.0", layout=LAYOUT, made="2026-11-27T00:00:00Z", prefix="loa", store="")


async def taken(redis: Redis, prefix: str) -> tuple[io.BytesIO, Taken]:
    file = io.BytesIO()
    found = await take(redis, prefix, Writer(file, ABOUT), tempfile.gettempdir())
    check(file)
    return file, found


async def everything(redis: Redis, prefix: str) -> dict[str, Any]:
    """All values below `prefix`, by the name behind it."""
    found: dict[str, Any] = {}
    async for key in redis.scan_iter(match=f"{prefix}:*", count=1000):
        name = key.decode().removeprefix(f"{prefix}:")
        kind = (await redis.type(key)).decode()
        found[name] = {
            "string": lambda key=key: redis.get(key),
            "hash": lambda key=key: redis.hgetall(key),
            "zset": lambda key=key: redis.zrange(key, 0, -1, withscores=True),
            "stream": lambda key=key: redis.xrange(key),
        }[kind]()
        found[name] = await found[name]
    return found


@pytest.fixture
def other(prefix: str) -> str:
    """Where to restore to: nothing is there."""
    return f"{prefix}o"


VALUES = st.dictionaries(st.binary(max_size=40), st.binary(max_size=200), min_size=1, max_size=30)
SCORES = st.dictionaries(
    st.binary(min_size=1, max_size=20), st.floats(allow_nan=False), min_size=1, max_size=30
)  # -0.0 and infinities among them
ENTRIES = st.lists(VALUES, min_size=1, max_size=20)


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.tuples(st.binary(max_size=500), VALUES, SCORES, ENTRIES))
def test_any_value_comes_back(
    store_url: str, prefix: str, values: tuple[bytes, dict[bytes, bytes], dict[bytes, float], list[dict[bytes, bytes]]]
) -> None:
    text, fields, scores, entries = values

    async def run() -> None:
        redis = connect(RedisSettings(), store_url, connections=1)
        for end in ("", "o"):
            async for key in redis.scan_iter(match=f"{prefix}{end}:*", count=1000):
                await redis.delete(key)
        await redis.set(f"{prefix}:presence:secret", text)
        await redis.hset(f"{prefix}:{{people}}:users", mapping=fields)  # type: ignore[arg-type]
        await redis.zadd(f"{prefix}:{{announcements}}:due", scores)
        for number, entry in enumerate(entries, 1):
            await redis.xadd(f"{prefix}:{{announcements}}:log", entry, id=f"{number}-0")  # type: ignore[arg-type]
        before = await everything(redis, prefix)
        file, _ = await taken(redis, prefix)
        await put(redis, f"{prefix}o", file)
        after = await everything(redis, f"{prefix}o")
        del after["layout"]
        assert after == before
        await redis.aclose()

    asyncio.run(run())


async def test_large_values_go_in_pieces(redis: Redis, prefix: str, other: str) -> None:
    fields = {f"{number:05}": "x" * 2000 for number in range(3000)}
    await redis.hset(f"{prefix}:{{people}}:users", mapping=fields)  # type: ignore[arg-type]
    for number in range(1, 1202):
        await redis.xadd(f"{prefix}:{{announcements}}:audit", {"entry": "e" * 1000}, id=f"{number}-0")
    before = await everything(redis, prefix)
    file, found = await taken(redis, prefix)
    assert found.parts == {"people": 1, "announcements": 1}
    await put(redis, other, file)
    assert await everything(redis, other) == before | {"layout": str(LAYOUT).encode()}


async def test_what_speaks_of_now_stays_out_and_ends_stay(redis: Redis, prefix: str, other: str) -> None:
    await redis.zadd(f"{prefix}:presence:{{demo:0}}:reading", {"reader": 1e12})
    await redis.hset(f"{prefix}:{{people}}:session:ab", "user", "an")
    await redis.set(f"{prefix}:history:{{demo}}:readers:2026-11-27", b"HYLL", ex=5000)
    await redis.set(f"{prefix}:history:{{demo}}:minutes:2026-11-27", b"12345678", px=1)
    while await redis.exists(f"{prefix}:history:{{demo}}:minutes:2026-11-27"):
        pass
    file, found = await taken(redis, prefix)
    assert found.parts.keys() <= {"history"}
    await put(redis, other, file)
    assert set(await everything(redis, other)) == {"history:{demo}:readers:2026-11-27", "layout"}
    assert 4000 < await redis.ttl(f"{other}:history:{{demo}}:readers:2026-11-27") <= 5000


async def test_what_nobody_decided_on_is_told(redis: Redis, prefix: str) -> None:
    await redis.set(f"{prefix}:{{announcements}}:votes", 1)
    _, found = await taken(redis, prefix)
    assert found.undecided == ["{announcements}:votes"]


async def test_announcements_go_on_under_another_epoch(redis: Redis, prefix: str, other: str) -> None:
    rules = NotificationsSettings()
    log = Log(redis, prefix, rules)
    first = await log.publish(draft(), by=by("an"))
    await log.update(first.announcement.id, Change(title="Khác"), by=by("an"))
    before = await log.snapshot()
    file, _ = await taken(redis, prefix)
    await put(redis, other, file)

    restored = Log(redis, other, rules)
    after = await restored.snapshot()
    assert after.active == before.active
    assert (after.head.version, after.head.chain) == (before.head.version, before.head.chain)
    assert after.head.epoch != before.head.epoch
    # A worker that knew the store before notices; one that starts now follows what is written next.
    view = View()
    view.replace(before)
    assert not view.agrees(after.head)
    view.replace(after)
    await restored.publish(draft(), by=by("an"))
    (entry,) = await restored.tail(after.head.version, block_seconds=0)
    assert view.follow(entry) is not None
    assert view.agrees(await restored.head())


async def test_a_log_that_has_only_begun_is_one_a_worker_agrees_with(redis: Redis, prefix: str, other: str) -> None:
    await Log(redis, prefix, NotificationsSettings()).snapshot()
    file, _ = await taken(redis, prefix)
    await put(redis, other, file)
    log = Log(redis, other, NotificationsSettings())
    view = View()
    view.replace(await log.snapshot())
    assert view.agrees(await log.head())


async def test_the_trail_is_verified_and_people_come_in(redis: Redis, prefix: str, other: str) -> None:
    rules = NotificationsSettings()
    people = known(redis, prefix, rules, cost=CHEAP)
    await people.register.add(
        User(name="an", full_name="Nguyễn An", roles={"*": "admin"}), await people.hasher.hash(PASSWORD), OPERATOR
    )
    token = await Tokens(redis, prefix).first_token()
    await Log(redis, prefix, rules).publish(draft(), by=by("an"))
    file, _ = await taken(redis, prefix)
    await put(redis, other, file)

    trail, verifier = Trail(redis, other), Verifier()
    async for line in trail.lines():
        assert verifier.take(line) is None
    assert verifier.finish(await trail.last()) is None
    assert await trail.last() == await Trail(redis, prefix).last()
    assert await redis.hgetall(f"{other}:{{people}}:passwords") == await redis.hgetall(f"{prefix}:{{people}}:passwords")
    assert token is not None
    assert await Tokens(redis, other).first_token() is None
    people.hasher.close()


async def test_an_act_while_it_reads_is_noticed(redis: Redis, prefix: str, other: str) -> None:
    """State, log and trail are of one moment, whatever editors do meanwhile."""
    log = Log(redis, prefix, NotificationsSettings())
    stop = asyncio.Event()

    async def edit() -> None:
        while not stop.is_set():
            await log.publish(draft(), by=by("an"))
            await asyncio.sleep(0.05)

    editing = asyncio.create_task(edit())
    file, _ = await taken(redis, prefix)
    stop.set()
    await editing
    await put(redis, other, file)
    keys = Keys(other)
    seq = int((await redis.hget(keys.audit_head, "seq")) or 0)  # type: ignore[misc]
    version = int((await redis.hget(keys.head, "version")) or 0)  # type: ignore[misc]
    assert await redis.xlen(keys.audit) == seq
    assert await redis.hlen(keys.state) == version  # type: ignore[misc]
    assert await redis.xlen(keys.log) == version


async def test_it_takes_the_place_of_what_was_there(redis: Redis, prefix: str, other: str) -> None:
    await redis.hset(f"{prefix}:{{people}}:users", "an", "{}")
    file, _ = await taken(redis, prefix)
    await redis.hset(f"{other}:{{people}}:users", "old", "{}")
    await redis.hset(f"{other}:{{people}}:session:ab", "user", "old")
    await redis.set(f"{other}:{{tokens}}:first", 1)
    await redis.zadd(f"{other}:presence:{{demo:0}}:reading", {"reader": 1e12})
    assert (await present(redis, other)).parts == {"people": 1, "tokens": 1}
    await put(redis, other, file)
    assert await everything(redis, other) == {
        "{people}:users": {b"an": b"{}"},
        "presence:{demo:0}:reading": [(b"reader", 1e12)],
        "layout": str(LAYOUT).encode(),
    }


async def test_a_restore_that_fails_changes_nothing_and_the_next_one_clears_up(
    redis: Redis, prefix: str, other: str
) -> None:
    await redis.hset(f"{prefix}:{{people}}:users", "an", "{}")
    file, _ = await taken(redis, prefix)
    await redis.hset(f"{other}:{{people}}:users", "old", "{}")

    class Failing:
        """Breaks off before the last step."""

        def __getattr__(self, name: str) -> Any:
            if name == "exists":
                raise ResponseError("cut off")
            return getattr(redis, name)

    with pytest.raises(ResponseError):
        await put(Failing(), other, file)  # type: ignore[arg-type]
    assert set(await everything(redis, other)) == {"{people}:users", "restoring:{people}:users"}
    assert await redis.hgetall(f"{other}:{{people}}:users") == {b"old": b"{}"}  # type: ignore[misc]
    await put(redis, other, file)
    assert set(await everything(redis, other)) == {"{people}:users", "layout"}


@pytest.mark.slow
async def test_an_answer_that_is_lost_does_no_harm(
    redis: Redis, store_url: str, prefix: str, other: str, short_directory: Path
) -> None:
    """The connection ends after the last step was carried out; a second time it would remove what was restored."""
    await redis.hset(f"{prefix}:{{people}}:users", "an", "{}")  # type: ignore[misc]
    file, _ = await taken(redis, prefix)
    await redis.hset(f"{other}:{{people}}:users", "old", "{}")  # type: ignore[misc]
    path = short_directory / f"{prefix}.sock"

    async def detour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(store_url.removeprefix("unix://"))
        last = False

        async def answers() -> None:
            while piece := await there.read(1 << 16):
                if last:
                    break
                writer.write(piece)
            writer.close()

        answering = asyncio.create_task(answers())
        while piece := await reader.read(1 << 16):
            last = last or (b"\r\nEXEC\r\n" in piece and b"RENAME" in piece)
            back.write(piece)
        back.close()
        await answering
        await back.wait_closed()
        gone.release()

    gone = asyncio.Semaphore(0)
    server = await asyncio.start_unix_server(detour, path)
    client = connect(RedisSettings(), f"unix://{path}", connections=1)
    assert await put(client, other, file) == {"people": 1}
    assert await redis.hgetall(f"{other}:{{people}}:users") == {b"an": b"{}"}  # type: ignore[misc]
    await client.aclose()
    server.close()
    # The one whose answer was lost, and the one that found out.
    async with asyncio.timeout(60):
        for _ in range(2):
            await gone.acquire()


async def test_a_service_that_is_connected_is_noticed(redis: Redis, store_url: str) -> None:
    service = connect(RedisSettings(), store_url, connections=1, name="loa-supervisor")
    await service.ping()
    with pytest.raises(StillServed, match="connections of a running Loa use this store"):
        await refuse_if_served(redis)
    await service.aclose()
