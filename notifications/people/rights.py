"""Which role may do what, and on which sites: one table.

Rules:

1. A right is had for a site, or for all of them. Who acts on an announcement for several sites needs it on each.
2. A person has one role a site; a role for all sites, ``*``, holds where no other is given.
3. Nobody approves what they wrote themselves; that is no matter of rights and stands in ``notifications/editorial.py``.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["viewer", "editor", "approver", "operator", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "editor", "approver", "operator", "admin")

Right: TypeAlias = Literal["see", "write", "send", "recall", "approve", "operate", "administer"]

ANY_SITE = "*"

#: see: announcements, reach and history; write: drafts, also to submit and discard them; send: and schedule, update;
#: recall; approve: what others wrote; operate: how the service does, webhooks; administer: people, tokens, the trail.
TABLE: Mapping[Role, frozenset[Right]] = {
    "viewer": frozenset({"see"}),
    "editor": frozenset({"see", "write", "send", "recall"}),
    "approver": frozenset({"see", "write", "send", "recall", "approve"}),
    "operator": frozenset({"see", "operate"}),
    "admin": frozenset({"see", "write", "send", "recall", "approve", "operate", "administer"}),
}

Roles: TypeAlias = "Mapping[str, Role]"


def role_on(roles: Roles, site: str) -> Role | None:
    """The role that somebody with `roles`, by site or ``*``, has on `site`."""
    return roles.get(site) or roles.get(ANY_SITE)


def may(roles: Roles, right: Right, sites: Iterable[str]) -> bool:
    """Whether `roles` give `right` on each of `sites`; on none, whether they give it anywhere."""
    wanted = [*sites]
    held = [role_on(roles, site) for site in wanted] if wanted else [*roles.values()]
    # A role that another release has given is none here.
    granted = [role is not None and right in TABLE.get(role, ()) for role in held]
    return all(granted) if wanted else any(granted)


def sites_with(roles: Roles, right: Right, sites: Iterable[str]) -> list[str]:
    """Those of `sites` on which `roles` give `right`, in their order."""
    return [site for site in sites if may(roles, right, [site])]
