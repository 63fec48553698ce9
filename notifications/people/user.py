"""A user: their name, their roles on each site, and what a name and a password must be like.

A name is lower-case and ASCII, so that no two look alike; the full name is anybody's own. Passwords are compared in
Unicode's form NFKC: the same Vietnamese letter comes as one code point from one keyboard and as two from another.

Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Literal, TypeAlias

import msgspec

from notifications.errors import WrongField
from notifications.people.rights import ANY_SITE, ROLES, Role, may

Language: TypeAlias = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")

MAX_NAME = 32
MAX_FULL_NAME = 80
MIN_PASSWORD = 12
MAX_PASSWORD = 256
# More sites than this a person is given by ``*``.
MAX_ROLES = 200

NAME = re.compile(rf"[a-z0-9](?:[a-z0-9._-]{{0,{MAX_NAME - 2}}}[a-z0-9])?", re.ASCII)
# No control characters, no bytes of an argument that are not UTF-8, and nothing that turns text around.
_FULL_NAME = re.compile(
    rf"[^\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]{{1,{MAX_FULL_NAME}}}"
)


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user, without the password.

    Attributes:
        name: What they sign in with.
        full_name: What others see.
        roles: By site, or ``*`` for all.
        language: What the console speaks to them.
        disabled: Whether they are kept out.
        generation: Sessions of an earlier one are over: it goes up with a new password, and at "sign out everywhere".
        created_ms: When they were added, by the store's clock.
    """

    name: str
    full_name: str
    roles: dict[str, Role]
    language: Language = "vi"
    disabled: bool = False
    generation: int = 1
    created_ms: int = 0

    @property
    def is_admin(self) -> bool:
        """Whether they look after people on all sites, and may come in to do so."""
        return not self.disabled and may({ANY_SITE: self.roles.get(ANY_SITE, "viewer")}, "administer", [ANY_SITE])

    def told(self) -> dict[str, object]:
        """What the audit trail says of them."""
        return {"full_name": self.full_name, "roles": self.roles, "disabled": self.disabled}


def typed_name(text: str) -> str:
    """A name as somebody typed it, as it is looked up."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def comparable(password: str) -> str:
    """A password in the form in which it is hashed."""
    return unicodedata.normalize("NFKC", password)


def wrong_name(name: str) -> str:
    """What is wrong with a user's name; empty if nothing is."""
    if NAME.fullmatch(name):
        return ""
    return f"takes 1 to {MAX_NAME} lower-case letters a-z, digits, dots, dashes; a letter or digit first and last"


def wrong_full_name(text: str) -> str:
    """What is wrong with a full name; empty if nothing is."""
    return "" if _FULL_NAME.fullmatch(text) else f"takes 1 to {MAX_FULL_NAME} characters, no control characters"


def wrong_password(password: str, name: str) -> str:
    """What is wrong with a new password; empty if nothing is."""
    text = comparable(password)
    if len(text) < MIN_PASSWORD:
        return f"takes at least {MIN_PASSWORD} characters"
    # Both: what normalizing makes of a text may be longer.
    if max(len(text), len(password)) > MAX_PASSWORD:
        return f"takes at most {MAX_PASSWORD} characters"
    if text.casefold().strip() == name.casefold():
        return "must not be the name"
    if len(set(text.casefold())) < 4:
        return "must have at least four different characters"
    return ""


def wrong_roles(roles: Mapping[str, str], sites: Collection[str]) -> list[WrongField]:
    """What is wrong with `roles` where there are these `sites`."""
    if not roles:
        return [WrongField("roles", "/roles", "takes at least one role")]
    if len(roles) > MAX_ROLES:
        return [WrongField("roles", "/roles", f"takes at most {MAX_ROLES} sites; * stands for all")]
    wrong = []
    for site, role in roles.items():
        pointer = f"/roles/{site.replace('~', '~0').replace('/', '~1')}"
        if site != ANY_SITE and site not in sites:
            wrong.append(WrongField("roles", pointer, f"{site} is no site here"))
        if role not in ROLES:
            wrong.append(WrongField("roles", pointer, f"a role is one of {', '.join(ROLES)}"))
    return wrong
