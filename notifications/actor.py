"""Who does something: known by a token or signed in, and written down with what they did.

Pure.
"""

from __future__ import annotations

from msgspec import Struct

from notifications.people.rights import ANY_SITE, Roles


class Actor(Struct, frozen=True, kw_only=True):
    """Whoever acts.

    Attributes:
        owner: The id of their token, ``user:`` and a user's name, or ``webhook:`` and its name; what a command on this
            machine does without one, ``local`` does, and what was due by itself, ``schedule``.
        name: Whose the token is, in words; a user's full name.
        role: Theirs on the site that was acted on.
        address: Where the request came from; empty for what was not asked over the network.
        person: Who is behind a token, the user that made it; empty where nobody else is.
    """

    owner: str
    name: str = ""
    role: str = ""
    address: str = ""
    person: str = ""

    @property
    def who(self) -> str:
        """By which it is told whether two acts are one person's: another token of one's own makes nobody another."""
        return self.person or self.owner


class Principal(Struct, frozen=True, kw_only=True):
    """Whoever asks, and what they may: an :class:`Actor` before it is known on which site they act.

    Attributes:
        owner, name, address, person: See :class:`Actor`.
        roles: By site, or ``*`` for all.
    """

    owner: str
    roles: Roles
    name: str = ""
    address: str = ""
    person: str = ""

    @property
    def who(self) -> str:
        """See :class:`Actor`."""
        return self.person or self.owner

    def acting_as(self, role: str) -> Actor:
        """Them, as written down with an act."""
        return Actor(owner=self.owner, name=self.name, role=role, address=self.address, person=self.person)


# A command line that works on the store itself: whoever may run it is who they are to the machine.
OPERATOR = Actor(owner="local", name="command line", role="operator")
MACHINE = Principal(owner="local", name="command line", roles={ANY_SITE: "admin"})

# What comes to pass by itself at its time.
SCHEDULE = Actor(owner="schedule", name="schedule", role="operator")
