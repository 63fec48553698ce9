"""One try: to real receivers, good and bad, over real sockets."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from notifications.webhooks import sender as sender_module
from notifications.webhooks.sender import Sender
from notifications.webhooks.webhook import Secret
from tests.notifications.webhooks.receiver import Receiver
from tests.notifications.webhooks.test_board import webhook
from tests.notifications.webhooks.test_signature import SECRET
from tests.patience import PATIENCE_SECONDS
from tests.system.test_tls import certify

BODY = b'{"type":"webhook.test"}'
OTHER = "whsec_" + "A" * 32


def to(url: str, *secrets: Secret) -> Any:
    return webhook(url=url, secrets=secrets or (Secret(text=SECRET),))


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    async with Sender(PATIENCE_SECONDS, private=True) as sender:
        yield sender


async def test_signs_with_all_secrets_that_are_in_use(sender: Sender, receiver: Receiver) -> None:
    ended, good = Secret(text="whsec_" + "B" * 32, until_ms=1), Secret(text=SECRET, until_ms=1 << 50)
    sent = await sender.send(to(receiver.url, Secret(text=OTHER), good, ended), "msg_1", BODY)
    assert (sent.outcome, sent.status) == ("delivered", 204)
    (got,) = receiver.got
    assert got.signed_with(OTHER) and got.signed_with(SECRET)
    assert not got.signed_with(ended.text)
    assert got.headers["content-type"] == "application/json"
    assert got.body == BODY


@pytest.mark.parametrize(
    ("answer", "judged"),
    [
        ((200, {}), ("delivered", "", 0)),
        ((299, {}), ("delivered", "", 0)),
        ((302, {"Location": "/elsewhere"}), ("failed", "the receiver answered 302; redirects are not followed", 0)),
        ((400, {"Retry-After": "7"}), ("failed", "the receiver answered 400", 0)),
        ((410, {}), ("gone", "the receiver answered 410: it wants no more", 0)),
        ((429, {"Retry-After": "7"}), ("failed", "the receiver answered 429", 7)),
        ((503, {"Retry-After": "7"}), ("failed", "the receiver answered 503", 7)),
        ((503, {"Retry-After": "soon"}), ("failed", "the receiver answered 503", 0)),
    ],
)
async def test_judges_by_the_status(
    sender: Sender, receiver: Receiver, answer: tuple[int, dict[str, str]], judged: tuple[str, str, float]
) -> None:
    status, headers = answer
    receiver.answering = lambda _: web.Response(status=status, headers=headers)
    sent = await sender.send(to(receiver.url), "msg_1", BODY)
    assert (sent.outcome, sent.why, sent.asked_seconds) == judged
    assert len(receiver.got) == 1


async def test_reads_little_of_an_answer_without_end(sender: Sender) -> None:
    written = 0
    left = asyncio.Event()

    async def take(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse(headers={"Content-Encoding": "gzip"})
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65_536)
                written += 65_536
        finally:
            left.set()

    runner = web.ServerRunner(web.Server(take), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    sent = await sender.send(to(f"http://127.0.0.1:{port}/"), "msg_1", BODY)
    assert sent.outcome == "delivered"
    async with asyncio.timeout(PATIENCE_SECONDS):
        await left.wait()
    # What the sockets' buffers took, and no more.
    assert written < 32 * 1024 * 1024
    await runner.cleanup()


async def test_gives_up_a_receiver_that_says_nothing(receiver: Receiver) -> None:
    forever = asyncio.Event()

    async def answering(_: object) -> web.StreamResponse:
        await forever.wait()
        return web.Response()

    receiver.answering = answering
    async with Sender(0.05, private=True) as sender:
        sent = await sender.send(to(receiver.url), "msg_1", BODY)
    forever.set()
    assert (sent.outcome, sent.why) == ("failed", "no answer within 0.05 s")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])  # noqa: S104
async def test_connects_to_no_network_of_its_own(receiver: Receiver, host: str) -> None:
    port = receiver.url.rpartition(":")[2].partition("/")[0]
    async with Sender(PATIENCE_SECONDS, private=False) as sender:
        sent = await sender.send(to(f"http://{host}:{port}/loa"), "msg_1", BODY)
    assert sent.outcome == "failed"
    assert "notifications.webhooks_private" in sent.why
    assert receiver.got == []


async def test_looks_at_the_address_a_name_leads_to_each_time(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the name led to the internet when it was first asked, and home afterwards."""
    answers = iter([True, False])
    monkeypatch.setattr(sender_module, "public", lambda address: ipaddress.ip_address(address) and next(answers))
    async with Sender(PATIENCE_SECONDS, private=False) as sender:
        sent = [await sender.send(to(receiver.url), f"msg_{number}", BODY) for number in (1, 2)]
    assert [one.outcome for one in sent] == ["delivered", "failed"]


@pytest.mark.parametrize("url", ["http://127.1:1/", "http://2130706433:1/", "http://127.0.0.1:1/"])
async def test_an_address_that_leads_nowhere_is_a_failure_like_any(sender: Sender, url: str) -> None:
    assert (await sender.send(to(url), "msg_1", BODY)).outcome == "failed"


async def test_believes_no_certificate_but_a_valid_one(sender: Sender, tmp_path: Path) -> None:
    certify(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    came: list[str] = []

    async def take(request: web.BaseRequest) -> web.StreamResponse:
        came.append(request.path)
        return web.Response()

    runner = web.ServerRunner(web.Server(take), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}/"
    refused = await sender.send(to(url), "msg_1", BODY)
    assert (refused.outcome, came) == ("failed", [])
    assert "certificate" in refused.why
    trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
    async with Sender(PATIENCE_SECONDS, private=True, trusted=trusting) as other:
        assert (await other.send(to(url), "msg_1", BODY)).outcome == "delivered"
    await runner.cleanup()
