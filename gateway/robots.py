"""Whether a connection is a robot's, by what it calls itself.

The list is that of the package ``crawler-user-agents``: search engines, previewers, monitors, HTTP libraries, browsers
without a window. A robot that calls itself a browser is not known by it; what drives a browser is told by the browser
itself (``apart=robot``), and what only opens connections by never answering.

A user agent is looked at and forgotten. What is remembered, so that the long list is not gone through for every reader
with the same browser, is a hash of it that means nothing outside this process.

Pure: no clock and no I/O but the reading of the list.
"""

from __future__ import annotations

from crawleruseragents import is_crawler

# Readers share few: a big portal sees some thousands in a day.
REMEMBERED = 4096
# What robots call themselves stands in the beginning; the list takes a microsecond a character.
_CHARACTERS = 256
# What Amazon's network puts in the place of all user agents unless it is told to pass them on: it hides readers.
_HIDDEN_BY_PROXIES = frozenset({"Amazon CloudFront"})


class Robots:
    """Knows robots.

    Args:
        remembered: How many user agents are looked up in the list only once; those that came first are forgotten first.
    """

    __slots__ = ("_known", "_remembered")

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._known: dict[int, bool] = {}
        # The list is compiled when it is first used, which takes as long as hundreds of handshakes.
        is_crawler("")

    def __len__(self) -> int:
        return len(self._known)

    def knows(self, user_agent: str) -> bool:
        """Whether this is the user agent of a robot; who sends none is none by that."""
        if not user_agent:
            return False
        key = hash(user_agent)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= self._remembered:
                del self._known[next(iter(self._known))]
            beginning = user_agent[:_CHARACTERS]
            known = self._known[key] = beginning not in _HIDDEN_BY_PROXIES and is_crawler(beginning)
        return known
