from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import frames
from gateway.closing import MEANINGS, CloseCode
from gateway.translation import Translator, tellings, with_inbox

TICK = b'{"type":"tick"}'
ONLINE = b'{"type":"presence","online":7,"as_of":null,"stale":false}'
NEWS = '{"type":"announcement","id":"a","title":"Lũ lên","cursor":"9f2c41d0.18"}'.encode()


def test_a_message_becomes_an_event() -> None:
    (telling,) = tellings(frames.text(ONLINE))
    assert telling.text == ONLINE
    assert telling.event == b"data: " + ONLINE + b"\n\n"


def test_a_cursor_is_the_id_of_its_event() -> None:
    (telling,) = tellings(frames.text(NEWS))
    assert telling.event == b"id: 9f2c41d0.18\ndata: " + NEWS + b"\n\n"


def test_what_browsers_cannot_see_is_left_out() -> None:
    written = frames.PING + frames.text(TICK) + frames.pong(b"x") + frames.text(NEWS)
    assert [telling.text for telling in tellings(written)] == [TICK, NEWS]
    assert Translator().events(frames.PING) == b""


@given(st.lists(st.text(max_size=200) | st.just("x" * 70_000), max_size=4))
def test_every_length_is_read_back(said: list[str]) -> None:
    texts = [json.dumps({"type": "x", "said": one}).encode() for one in said]
    assert [telling.text for telling in tellings(b"".join(map(frames.text, texts)))] == texts


@pytest.mark.parametrize("code", [code for code in CloseCode if code >= 1002])
def test_a_close_becomes_a_message(code: CloseCode) -> None:
    (plain,) = tellings(frames.close(code))
    assert json.loads(plain.text) == {"type": "close", "code": int(code), "reason": MEANINGS[code].says}
    (delayed,) = tellings(frames.close(code, frames.close_reason(3170)))
    assert json.loads(delayed.text)["retry_ms"] == 3170
    assert delayed.event.startswith(b"retry: 3170\ndata: {")


@pytest.mark.parametrize(
    ("message", "scope"),
    [
        (ONLINE, ("", "", "")),
        (b'{"type":"presence","scope":"section","section":"a","online":1}', ("section", "a", "")),
        (b'{"type":"presence","scope":"page","path":"/a","online":1}', ("page", "", "/a")),
        (b'{"type":"presence","scope":"states","reading":1,"idle":2,"background":3}', ("states", "", "")),
        (NEWS, None),
        (TICK, None),
    ],
)
def test_what_a_later_number_replaces(message: bytes, scope: tuple[str, str, str] | None) -> None:
    (telling,) = tellings(frames.text(message))
    assert telling.scope == scope


def test_one_frame_is_translated_once_for_all() -> None:
    translator = Translator()
    frame = frames.text(NEWS)
    events = translator.events(frame)
    assert translator.events(frame) is events
    assert translator.tellings(frame) is translator.tellings(frame)
    assert translator.events(frames.text(ONLINE)) == b"data: " + ONLINE + b"\n\n"
    assert translator.events(frame) == events


def test_the_welcome_names_the_inbox() -> None:
    welcome = b'{"type":"welcome","site":"demo","cursor":"9f2c41d0.17"}'
    (telling,) = with_inbox(frames.PING + frames.text(welcome), "/say/0.x")
    assert json.loads(telling.text) == {**json.loads(welcome), "inbox": "/say/0.x"}
    assert telling.event.startswith(b"id: 9f2c41d0.17\n")
