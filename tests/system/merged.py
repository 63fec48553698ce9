"""What a browser has in view, by the frames it has heard, merged as `docs/protocol.md` says. Pure."""

from __future__ import annotations

from typing import Any


class Merged:
    """The same whichever way the frames came.

    Attributes:
        shown: Each (id, revision) that came into view, in order; one that came twice was shown twice.
        view: What is in view, by id.
        cursor: How far it has got; empty before the first welcome.
        visitor: Who it is, once it has been told.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, bool]] = {}
        self.shown: list[tuple[str, int]] = []
        self.view: dict[str, dict[str, Any]] = {}
        self.cursor = ""
        self.visitor = ""

    @property
    def revisions(self) -> dict[str, int]:
        """What is in view, by id."""
        return {id: one["revision"] for id, one in self.view.items()}

    def hear(self, said: dict[str, Any]) -> None:
        """One frame, of whichever type."""
        if said["type"] == "welcome":
            self.visitor = said.get("visitor", "")
            if said["full"]:
                kept = {one["id"] for one in said["announcements"]}
                # What is over is forgotten: the worker may have been behind another, and tell of it again in a moment.
                for id in self.view.keys() - kept:
                    del self.view[id], self._known[id]
            for one in said["announcements"]:
                self._merge(one)
            self.cursor = said["cursor"]
        elif said["type"] == "announcement":
            self._merge(said)
            self.cursor = said["cursor"]

    def _merge(self, one: dict[str, Any]) -> None:
        id, standing = one["id"], (one["revision"], one["status"] == "recalled")
        if id in self._known and standing <= self._known[id]:
            return
        self._known[id] = standing
        if standing[1]:
            self.view.pop(id, None)
        else:
            self.shown.append((id, one["revision"]))
            self.view[id] = one
