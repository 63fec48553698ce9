"""What can go wrong with webhooks, besides what :mod:`notifications.errors` has.

::

    NotificationsError
    ├── NoSuchWebhook           there is none of that id or name, or no dead delivery
    ├── NameTaken               another hook has that name
    └── TooManyWebhooks         there are as many as there may be
"""

from __future__ import annotations

from notifications.errors import NotificationsError


class NoSuchWebhook(NotificationsError):
    """None has this id or name."""

    def __init__(self, what: str, id: str) -> None:
        self.what = what
        self.id = id
        super().__init__(what, id)

    def __str__(self) -> str:
        return f"there is no {self.what} {self.id!r}"


class NameTaken(NotificationsError):
    """Another hook has this name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)

    def __str__(self) -> str:
        return f"there is a hook {self.name!r} already"


class TooManyWebhooks(NotificationsError):
    """There are as many as there may be."""

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(most)

    def __str__(self) -> str:
        return f"there are {self.most} already; remove one that is not needed"
