"""Signatures: the specification's own example, and whatever else is sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import string
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifications.webhooks import signature

# The example of the Standard Webhooks specification and of its libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
SECONDS = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

IDS = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=60)
BODIES = st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
SECRETS = st.binary(min_size=24, max_size=64).map(lambda key: "whsec_" + base64.b64encode(key).decode())


def test_signs_as_the_specification_shows() -> None:
    assert signature.headers(ID, SECONDS, BODY, [SECRET]) == {
        "webhook-id": ID,
        "webhook-timestamp": str(SECONDS),
        "webhook-signature": SIGNATURE,
    }


@given(IDS, st.integers(0, 4_000_000_000), BODIES, st.lists(SECRETS, min_size=1, max_size=3))
def test_signs_with_each_secret_what_anybody_computes(id: str, seconds: int, body: bytes, secrets: list[str]) -> None:
    signed = signature.headers(id, seconds, body, secrets)["webhook-signature"].split(" ")
    for secret, one in zip(secrets, signed, strict=True):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        message = b".".join([id.encode(), str(seconds).encode(), body])
        assert one == "v1," + base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()


@given(IDS, BODIES, SECRETS, SECRETS, st.booleans())
def test_believes_what_is_signed_with_a_secret_in_use_and_nothing_else(
    id: str, body: bytes, ours: str, other: str, rotating: bool
) -> None:
    now = int(time.time())
    signed = signature.headers(id, now, body, [other, ours] if rotating else [ours])
    assert signature.verified(signed, body, [ours])
    assert signature.verified(signed, body, ["whsec_" + "A" * 32, ours])
    assert not signature.verified(signed, body + b" ", [ours])
    assert not signature.verified({**signed, "webhook-id": id + "x"}, body, [ours])
    assert not signature.verified({**signed, "webhook-timestamp": str(now - 1)}, body, [ours])
    assert signature.verified(signed, body, [other]) == (rotating or other == ours)
    assert not signature.verified(signed, body, [])


@pytest.mark.parametrize(("off", "believed"), [(-280, True), (280, True), (-320, False), (320, False)])
def test_believes_only_what_was_signed_within_five_minutes(off: int, believed: bool) -> None:
    signed = signature.headers(ID, int(time.time()) + off, BODY, [SECRET])
    assert signature.verified(signed, BODY, [SECRET]) is believed


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80), st.binary(max_size=80))
@example(ID, str(SECONDS), "v1", BODY)
@example(ID, "nan", SIGNATURE, BODY)
@example(ID, "1e9", SIGNATURE, BODY)
@example(ID, "now", "v1,", b"\xff")
@example(ID, "now", "v1,a,b v1a,x", BODY)
@example("", "now", SIGNATURE, b"\xff\xfe")
def test_nothing_that_is_sent_makes_it_fail_in_another_way(id: str, seconds: str, said: str, body: bytes) -> None:
    if seconds == "now":
        # Or it would be refused for its age alone. Of this moment: the run may have begun long ago.
        seconds = str(int(time.time()))
    given = {"webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": said}
    assert signature.verified(given, body, [SECRET]) is False


def test_secrets_are_long_and_never_the_same() -> None:
    made = {signature.new_secret() for _ in range(50)}
    assert len(made) == 50
    assert {len(base64.b64decode(one.removeprefix("whsec_"))) for one in made} == {32}
