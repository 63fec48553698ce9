"""What can go wrong with people.

::

    NotificationsError
    └── PeopleError
        ├── NoSuchUser      there is none of that name
        ├── NameTaken       there is one of that name
        ├── ChangedMeanwhile  somebody else changed the user between reading and writing
        ├── LastAdmin       nobody would be left who may look after people
        ├── TooManyHashes   more passwords wait to be checked than this worker takes
        ├── WrongPassword   name and password do not belong together, or the user is disabled: not told apart
        └── MustWait        too many sign-ins failed, from there or with that name
"""

from __future__ import annotations

from notifications.errors import NotificationsError


class PeopleError(NotificationsError):
    """Root of the errors about people."""


class NoSuchUser(PeopleError):
    """No user has this name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)

    def __str__(self) -> str:
        return f"there is no user {self.name!r}; 'loa user list' shows all"


class NameTaken(PeopleError):
    """A user has this name already."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)

    def __str__(self) -> str:
        return f"there is a user {self.name!r} already; 'loa user change' changes them"


class ChangedMeanwhile(PeopleError):
    """Somebody else changed the user meanwhile; nothing was written."""

    def __str__(self) -> str:
        return "somebody else changed this user meanwhile; look again, and repeat it"


class LastAdmin(PeopleError):
    """It would leave nobody who may look after people."""

    def __str__(self) -> str:
        return "this is the last user who may look after people; give another the role admin on all sites first"


class TooManyHashes(PeopleError):
    """So many passwords wait to be checked that one more would wait too long."""

    def __init__(self, retry_seconds: int) -> None:
        self.retry_seconds = retry_seconds
        super().__init__(retry_seconds)

    def __str__(self) -> str:
        return "too many people sign in at this moment"


class WrongPassword(PeopleError):
    """The sign-in failed. Why is not said: it would tell strangers which names there are."""

    def __str__(self) -> str:
        return "the name or the password is wrong"


class MustWait(PeopleError):
    """The password was not looked at: too many were wrong before."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(seconds)

    def __str__(self) -> str:
        return f"too many sign-ins failed; wait {self.seconds} s"
