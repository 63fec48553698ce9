"""How many passwords may be guessed, without a way to keep anybody else out.

A plain lockout ("five wrong ones, the account is closed") lets any stranger lock a newsroom out on its worst day. So
nothing here is counted against an account alone. A sign-in is counted *before* its password is looked at (a thousand
guesses at once are a thousand, not one) and taken back if it was right, under:

- the **pair** of address and name. `PAIR_FREE` tries, then waits of 1, 2, 4, … times `FIRST_WAIT_SECONDS`, up to
  `LONGEST_SECONDS`. Who guesses one account from one place gets some twenty tries in an hour.
- the **address**, whatever the names, for those who try one password on many: `ADDRESS_FREE` tries, then the same
  waits. An address that is exempt from limits (a proxy that hides its clients) has no such count, only the pair's.
- the **name**, from wherever. It refuses nothing by itself. From `BESIEGED` failures within an hour on, each address
  has one free try for that name instead of five, and a long wait after it. An address that has not failed yet is let
  try at once: its owner, who knows the password, comes in; a botnet has one try an address.
- the **device**: a browser that has signed in with this name before carries a cookie that says so (random, hashed in
  the store, good for half a year). It is counted alone, as a pair is, and none of the three above touches it. So
  whoever works with Loa every day comes in while their name, and the very address they share with an attacker, is under
  fire.

What remains: from an address that an attacker shares, with a name that they know, a browser that never signed in
waits as long as they do. Such a person signs in from another address, or waits: quarter of an hour at the most after
the attacker was last let try.

All of it expires by itself within an hour and is shared by all workers.
"""

from __future__ import annotations

import math
import secrets
from typing import NamedTuple

from redis.asyncio import Redis

from notifications.asking import ask
from notifications.people.errors import MustWait
from notifications.people.keys import PeopleKeys
from notifications.people.sessions import digest_of
from store.scripts import load

FORGET_SECONDS = 3_600
PAIR_FREE = 5
ADDRESS_FREE = 30
FIRST_WAIT_SECONDS = 1
LONGEST_SECONDS = 900
BESIEGED = 50
BESIEGED_WAIT_SECONDS = 60
DEVICE_DAYS = 180
MAX_DEVICES = 20

_DEVICE_TEXT = 64


class Attempt(NamedTuple):
    """A sign-in that was counted.

    Attributes:
        keys: What it was counted under.
        device: Digest of the cookie it came with; empty if there was none.
        known: Whether that device has signed in with the name before.
        limited: Whether its address has a count.
    """

    keys: list[str]
    device: str
    known: bool
    limited: bool


class Lockout:
    """The counts below `prefix`. Each method raises :class:`StoreAway` if the store does not answer."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._keys = PeopleKeys(prefix)
        self._attempt = redis.register_script(load("notifications.people", "attempt"))
        self._known = redis.register_script(load("notifications.people", "known"))

    async def begin(self, name: str, *, address: str, limited: bool, device: str) -> Attempt:
        """Counts a sign-in that is about to be tried.

        Args:
            name: As typed; there need be no such user.
            address: Where it comes from.
            limited: Whether the address has a limit of its own.
            device: What the device's cookie says; empty if none came.

        Raises:
            MustWait: It may not be tried yet.
        """
        digest = digest_of(device) if len(device) == _DEVICE_TEXT else ""
        keys = [
            self._keys.tries("pair", address, name),
            self._keys.tries("address", address),
            self._keys.tries("name", name),
            self._keys.tries("device", digest, name),
            self._keys.devices(name),
        ]
        args: list[str | int] = [
            digest,
            int(limited),
            FORGET_SECONDS * 1000,
            PAIR_FREE,
            ADDRESS_FREE,
            LONGEST_SECONDS * 1000,
            BESIEGED,
            BESIEGED_WAIT_SECONDS * 1000,
            DEVICE_DAYS * 86_400_000,
            FIRST_WAIT_SECONDS * 1000,
        ]
        wait_ms, known = await ask(self._attempt(keys=keys, args=args))
        if wait_ms:
            raise MustWait(max(1, math.ceil(wait_ms / 1000)))
        return Attempt(keys, digest, bool(known), limited)

    async def succeeded(self, attempt: Attempt) -> str:
        """The password was right: takes the count back; returns what the device's cookie says from now on."""
        device = secrets.token_hex(_DEVICE_TEXT // 2)
        args: list[str | int] = [
            digest_of(device),
            MAX_DEVICES,
            DEVICE_DAYS * 86_400_000,
            int(attempt.known),
            int(attempt.limited),
            attempt.device if attempt.known else "",
        ]
        await ask(self._known(keys=attempt.keys, args=args))
        return device
