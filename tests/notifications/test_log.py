from __future__ import annotations

import asyncio
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from notifications.announcement import Change
from notifications.errors import (
    ActionRefused,
    KeyReused,
    NoSuchAnnouncement,
    NotUnderstood,
    OutcomeUnknown,
    SendRefused,
    StaleRevision,
    StoreAway,
    TooManyActive,
)
from notifications.keys import Keys
from notifications.log import Log
from notifications.settings import NotificationsSettings
from notifications.view import View
from store.connection import connect
from store.settings import RedisSettings
from tests.notifications.conftest import SETTINGS
from tests.notifications.making import by, draft

NOBODY = "01kavg3n4m7q2x8r5t9w0y1z3b"


async def test_publishes(log: Log) -> None:
    published = await log.publish(
        draft(body="một\nhai / \"ba\" \\ 'bốn' \u2028", url="https://a.vn/?x=1&y=2"), by=by("t")
    )
    one = published.announcement
    assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{26}", one.id)
    assert (one.revision, one.version, one.status, one.again) == (1, 1, "live", 1)
    assert one.expires_ms - one.published_ms == 3_600_000
    assert one.body == "một\nhai / \"ba\" \\ 'bốn' \u2028"
    assert not published.replayed
    assert (await log.get(one.id)).announcement == one


async def test_ids_sort_by_time_and_begin_with_it(log: Log) -> None:
    ids = [(await log.publish(draft(), by=by("t"))).announcement for _ in range(30)]
    digits = "0123456789abcdefghjkmnpqrstvwxyz"
    for one in ids:
        milliseconds = 0
        for character in one.id[:10]:
            milliseconds = milliseconds * 32 + digits.index(character)
        assert milliseconds == one.published_ms
    assert [one.id for one in ids] == sorted(one.id for one in ids)


@pytest.mark.parametrize(
    ("newest", "following"),
    [
        ("7" + 25 * "0", "7" + 24 * "0" + "1"),
        ("7" + 24 * "0" + "h", "7" + 24 * "0" + "j"),
        ("7" + 9 * "0" + 16 * "z", "7" + 8 * "0" + "1" + 16 * "0"),
    ],
    ids=["one more", "no i", "carried"],
)
async def test_ids_sort_as_they_were_made_also_after_the_clock_was_set_back(
    log: Log, redis: Redis, prefix: str, newest: str, following: str
) -> None:
    await redis.zadd(Keys(prefix).ids, {newest: 0})
    assert (await log.publish(draft(), by=by("t"))).announcement.id == following
    assert (await log.publish(draft(), by=by("t"))).announcement.id > following


async def test_a_repeated_request_gets_the_first_answer(log: Log) -> None:
    first = await log.publish(draft(), by=by("t"), key="k")
    await log.update(first.announcement.id, Change(title="khác"), by=by("t"))
    again = await log.publish(draft(), by=by("t"), key="k")
    assert again.announcement == first.announcement
    assert (first.replayed, again.replayed) == (False, True)


async def test_a_key_belongs_to_one_request_of_one_token(log: Log) -> None:
    first = await log.publish(draft(), by=by("t"), key="k")
    with pytest.raises(KeyReused):
        await log.publish(draft(title="another"), by=by("t"), key="k")
    with pytest.raises(KeyReused):
        await log.recall(first.announcement.id, by=by("t"), key="k")
    assert not (await log.publish(draft(title="another"), by=by("other"), key="k")).replayed


async def test_keys_are_forgotten_in_time(log: Log, redis: Redis, prefix: str) -> None:
    await log.publish(draft(), by=by("t"), key="k")
    left_ms = await redis.pttl(Keys(prefix).once("t", "k"))
    hours = SETTINGS.idempotency_hours
    assert (hours - 1) * 3_600_000 < left_ms <= hours * 3_600_000


async def test_updates_what_is_given_and_leaves_the_rest(log: Log) -> None:
    one = (await log.publish(draft(body="như cũ", url="https://a.vn/"), by=by("t"))).announcement
    two = (await log.update(one.id, Change(title="Đính chính"), by=by("t"))).announcement
    assert (two.revision, two.title, two.body, two.url) == (2, "Đính chính", "như cũ", "https://a.vn/")
    assert (two.published_ms, two.expires_ms, two.again) == (one.published_ms, one.expires_ms, 1)
    three = (await log.update(one.id, Change(body="", expires_in=60, show_again=True), by=by("t"))).announcement
    assert (three.revision, three.body, three.again) == (3, "", 3)
    assert three.expires_ms == three.updated_ms + 60_000


async def test_recalls_once(log: Log) -> None:
    one = (await log.publish(draft(), by=by("t"))).announcement
    recalled = await log.recall(one.id, "nhầm", by=by("t"))
    assert (recalled.status, recalled.announcement.revision, recalled.announcement.reason) == ("recalled", 2, "nhầm")
    again = await log.recall(one.id, "cũng nhầm", by=by("someone else"))
    assert again.announcement == recalled.announcement
    assert again.replayed
    with pytest.raises(ActionRefused) as refused:
        await log.update(one.id, Change(title="x"), by=by("t"))
    assert refused.value.state == "recalled"


async def test_what_has_expired_is_over(log: Log, redis: Redis, prefix: str) -> None:
    one = (await log.publish(draft(expires_in=10), by=by("t"))).announcement
    # The store's clock cannot be moved, so what it holds is.
    past = (await _stored(redis, prefix, one.id)).replace(str(one.expires_ms).encode(), b"1000")
    await redis.hset(Keys(prefix).state, one.id, past)
    assert (await log.get(one.id)).status == "expired"
    for act in (log.update(one.id, Change(title="x"), by=by("t")), log.recall(one.id, by=by("t"))):
        with pytest.raises(ActionRefused, match="expired"):
            await act
    await redis.zadd(Keys(prefix).active, {one.id: 1000})
    assert (await log.snapshot()).active == []


async def test_a_stale_revision_is_refused_with_the_current_one(log: Log) -> None:
    one = (await log.publish(draft(), by=by("t"))).announcement
    await log.update(one.id, Change(title="hai"), by=by("t"), expected=1)
    for act in (
        log.update(one.id, Change(title="ba"), by=by("t"), expected=1),
        log.recall(one.id, by=by("t"), expected=1),
    ):
        with pytest.raises(StaleRevision) as refused:
            await act
        assert refused.value.current.revision == 2


async def test_knows_what_there_is_not(log: Log) -> None:
    for act in (log.get(NOBODY), log.update(NOBODY, Change(title="x"), by=by("t")), log.recall(NOBODY, by=by("t"))):
        with pytest.raises(NoSuchAnnouncement):
            await act


async def test_does_not_greet_with_more_than_it_may(redis: Redis, prefix: str) -> None:
    log = Log(redis, prefix, NotificationsSettings(max_active=2))
    first = await log.publish(draft(), by=by("t"))
    await log.publish(draft(), by=by("t"))
    with pytest.raises(TooManyActive):
        await log.publish(draft(), by=by("t"))
    await log.recall(first.announcement.id, by=by("t"))
    await log.publish(draft(), by=by("t"))


async def test_pages_through_all_the_newest_first(log: Log) -> None:
    ids = [
        (await log.publish(draft(sites=("demo",) if number % 2 else ("tinh",)), by=by("t"))).announcement.id
        for number in range(7)
    ]
    await log.recall(ids[3], by=by("t"))
    newest_first = ids[::-1]
    seen: list[str] = []
    before = ""
    while True:
        page = await log.page(before=before, limit=3)
        seen += [found.announcement.id for found in page.found]
        before = page.before
        if not before:
            break
    assert seen == newest_first
    assert {found.announcement.id for found in (await log.page(site="demo")).found} == set(ids[1::2])
    assert [found.announcement.id for found in (await log.page(status="recalled")).found] == [ids[3]]


async def test_the_chain_is_what_a_worker_computes(log: Log) -> None:
    view = View()
    view.replace(await log.snapshot())
    for number in range(3):
        await log.publish(draft(title=f"số {number}"), by=by("t"))
    for entry in await log.tail(0):
        assert view.follow(entry) is not None
    assert view.agrees(await log.head())


async def test_a_snapshot_does_not_grow_with_history(log: Log) -> None:
    ids = [(await log.publish(draft(), by=by("t"))).announcement.id for _ in range(5)]
    for id in ids[1:]:
        await log.recall(id, by=by("t"))
    snapshot = await log.snapshot()
    assert [one.id for one in snapshot.active] == [ids[0]]
    assert snapshot.head.version == 9
    assert [entry.version for entry in snapshot.recent] == list(range(1, 10))


async def test_the_log_is_trimmed_and_the_state_is_not(redis: Redis, prefix: str) -> None:
    log = Log(redis, prefix, NotificationsSettings(log_length=100, max_active=5000))
    first = (await log.publish(draft(), by=by("t"))).announcement
    # A few at a time: on a busy machine the last of hundreds would be told that there is no connection for it.
    for _ in range(40):
        await asyncio.gather(*[log.publish(draft(), by=by("t")) for _ in range(10)])
    assert await redis.xlen(Keys(prefix).log) < 400
    assert (await log.get(first.id)).announcement == first


async def test_beginning_again_after_a_loss_changes_the_epoch(log: Log, redis: Redis, prefix: str) -> None:
    before = (await log.snapshot()).head
    await log.publish(draft(), by=by("t"))
    await redis.delete(Keys(prefix).head)
    after = await log.publish(draft(), by=by("t"))
    head = await log.head()
    assert head is not None
    assert head.epoch != before.epoch
    assert after.version == head.version == 1
    assert len(await log.tail(0)) == 1


async def test_the_log_begins_once(redis: Redis, prefix: str) -> None:
    logs = [Log(redis, prefix, SETTINGS) for _ in range(6)]
    heads = [snapshot.head for snapshot in await asyncio.gather(*[log.snapshot() for log in logs])]
    assert len({head.epoch for head in heads}) == 1


async def test_an_older_worker_is_not_stopped_by_what_it_does_not_understand(
    log: Log, redis: Redis, prefix: str
) -> None:
    one = (await log.publish(draft(), by=by("t"))).announcement
    newer = (await _stored(redis, prefix, one.id)).replace(b'"breaking"', b'"apocalyptic"')
    await redis.hset(Keys(prefix).state, one.id, newer)
    await log.publish(draft(), by=by("t"))
    assert len((await log.snapshot()).active) == 1


@pytest.mark.slow
async def test_what_is_not_understood_is_left_out_of_pages_and_ends_none(
    log: Log, redis: Redis, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.log._PAGE", 2)
    published = [(await log.publish(draft(), by=by("t"))).announcement.id for _ in range(9)]
    newest_first = sorted(published, reverse=True)
    # The newest, a whole page of the store's, and the oldest; and one that the state has lost.
    for id in (newest_first[0], *newest_first[2:6], newest_first[8]):
        await _by_another_release(redis, prefix, id)
    await redis.hdel(Keys(prefix).state, newest_first[6])
    readable = [newest_first[1], newest_first[7]]
    assert [found.announcement.id for found in (await log.page()).found] == readable
    seen: list[str] = []
    before = ""
    while True:
        page = await log.page(before=before, limit=1)
        seen += [found.announcement.id for found in page.found]
        before = page.before
        if not before:
            break
    assert seen == readable


async def test_what_is_not_understood_is_neither_shown_nor_changed(log: Log, redis: Redis, prefix: str) -> None:
    one = (await log.publish(draft(), by=by("t"))).announcement
    await log.update(one.id, Change(title="hai"), by=by("t"), key="k")
    await _by_another_release(redis, prefix, one.id)
    with pytest.raises(NotUnderstood):
        await log.get(one.id)
    for act in (log.update(one.id, Change(title="ba"), by=by("t")), log.recall(one.id, by=by("t"))):
        with pytest.raises(SendRefused, match="another release"):
            await act
    first = await redis.hget(Keys(prefix).once("t", "k"), "payload")
    assert isinstance(first, bytes)
    await redis.hset(Keys(prefix).once("t", "k"), "payload", first.replace(b'"breaking"', b'"apocalyptic"'))
    with pytest.raises(OutcomeUnknown, match="another release"):
        await log.update(one.id, Change(title="hai"), by=by("t"), key="k")


@pytest.mark.slow
async def test_many_at_once_with_repeated_requests_leave_no_gap_and_no_double(store_url: str, prefix: str) -> None:
    """Twenty clients over three workers; every third request is sent again, some at the same time."""
    settings = NotificationsSettings(max_active=5000)
    clients = [connect(RedisSettings(), store_url, connections=4) for _ in range(3)]
    logs = [Log(client, prefix, settings) for client in clients]
    chance = random.Random(5715)

    async def editor(name: str) -> list[str]:
        ids = []
        for number in range(25):
            times = 2 if number % 3 == 0 else 1
            answers = await asyncio.gather(
                *[
                    chance.choice(logs).publish(draft(title=f"{name} {number}"), by=by(name), key=f"{number}")
                    for _ in range(times)
                ]
            )
            assert len({answer.announcement.id for answer in answers}) == 1
            assert sorted(answer.replayed for answer in answers) == [False, True][:times]
            ids.append(answers[0].announcement.id)
        return ids

    ids = [id for published in await asyncio.gather(*[editor(f"e{n}") for n in range(20)]) for id in published]
    view = View()
    snapshot = await logs[0].snapshot()
    entries = await logs[0].tail(0, most=10_000)
    assert [entry.version for entry in entries] == list(range(1, 501))
    assert [entry.announcement.id for entry in entries if entry.announcement] == list(
        dict.fromkeys(entry.announcement.id for entry in entries if entry.announcement)
    )
    assert set(ids) == {entry.announcement.id for entry in entries if entry.announcement}
    view.replace(snapshot)
    assert set(view.active) == set(ids)
    for client in clients:
        await client.aclose()


@pytest.mark.slow
async def test_editors_of_one_announcement_do_not_overwrite_each_other_unseen(log: Log) -> None:
    one = (await log.publish(draft(), by=by("t"))).announcement
    acts = [log.update(one.id, Change(title=f"của {n}"), by=by(f"e{n}")) for n in range(8)]
    revisions = sorted(answer.announcement.revision for answer in await asyncio.gather(*acts))
    assert revisions == list(range(2, 10))
    seen = [log.update(one.id, Change(title=f"của {n}"), by=by(f"e{n}"), expected=9) for n in range(8)]
    answers = await asyncio.gather(*seen, return_exceptions=True)
    assert sum(isinstance(answer, StaleRevision) for answer in answers) == 7


async def test_nothing_answers(prefix: str, short_directory: object) -> None:
    client = connect(RedisSettings(), f"unix://{short_directory}/nobody.sock", connections=2)
    log = Log(client, prefix, SETTINGS)
    answers = await asyncio.gather(
        log.publish(draft(), by=by("t")), log.recall(NOBODY, by=by("t")), log.get(NOBODY), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [SendRefused, SendRefused, StoreAway]
    await client.aclose()


async def test_says_what_the_store_said_when_it_refuses(valkey: Redis, valkey_url: str, prefix: str) -> None:
    """A user who may read and not write: refused, and known not to be sent."""
    await valkey.acl_setuser(prefix, enabled=True, nopass=True, keys=["*"], commands=["+@all", "-xadd"])
    client = connect(RedisSettings(url=valkey_url, username=prefix, password="any"), valkey_url, connections=2)
    try:
        with pytest.raises(SendRefused, match="refuses"):
            await Log(client, prefix, SETTINGS).publish(draft(), by=by("t"))
        assert await valkey.exists(*(f"{prefix}:{{announcements}}:{name}" for name in ("state", "ids", "active"))) == 0
    finally:
        await client.aclose()
        await valkey.acl_deluser(prefix)


async def test_a_store_that_refuses_to_be_asked_has_not_been_told_to_act(
    valkey: Redis, valkey_url: str, prefix: str
) -> None:
    """Also an answer that no waiting makes better says that nothing was sent."""
    one = (await Log(valkey, prefix, SETTINGS).publish(draft(), by=by("t"))).announcement
    await valkey.acl_setuser(prefix, enabled=True, nopass=True, keys=["*"], commands=["+@all", "-hget"])
    client = connect(RedisSettings(url=valkey_url, username=prefix, password="any"), valkey_url, connections=2)
    try:
        log = Log(client, prefix, SETTINGS)
        for act in (log.update(one.id, Change(title="x"), by=by("t")), log.recall(one.id, by=by("t"))):
            with pytest.raises(SendRefused):
                await act
    finally:
        await client.aclose()
        await valkey.acl_deluser(prefix)


async def test_writes_survive_that_the_server_has_forgotten_the_scripts(log: Log, redis: Redis) -> None:
    await log.publish(draft(), by=by("t"))
    await redis.script_flush()
    assert (await log.publish(draft(), by=by("t"))).version == 2
    await redis.script_flush()
    assert (await log.snapshot()).head.version == 2


@given(st.text(max_size=40), st.text(max_size=300))
def test_keys_of_any_text_are_of_one_length(by: str, key: str) -> None:
    name = Keys("p").once(by, key)
    assert len(name) == len(Keys("p").once("", ""))
    assert name.isascii()


async def test_waits_for_what_it_expects(log: Log) -> None:
    """`tail` returns as soon as something is there, and nothing when nothing comes."""
    assert await log.tail(0, block_seconds=0.01) == []
    waiting = asyncio.create_task(log.tail(0, block_seconds=5.0))
    published = await log.publish(draft(), by=by("t"))
    (entry,) = await waiting
    assert entry.version == published.version


async def _stored(redis: Redis, prefix: str, id: str) -> bytes:
    stored: object = await redis.hget(Keys(prefix).state, id)
    assert isinstance(stored, bytes)
    return stored


async def _by_another_release(redis: Redis, prefix: str, id: str) -> None:
    """Makes of announcement `id` what this release does not understand."""
    newer = (await _stored(redis, prefix, id)).replace(b'"breaking"', b'"apocalyptic"')
    await redis.hset(Keys(prefix).state, id, newer)
