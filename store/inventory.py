"""What a room keeps in the store, said by itself: a :class:`Kept` for each form of key, for people who answer for data.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

Language: TypeAlias = Literal["vi", "en"]
# Of whom it says something: readers under a pseudonym of the day, readers only as a number, editors, or nobody.
About: TypeAlias = Literal["pseudonyms", "numbers", "editors", "nobody"]


class Kept(NamedTuple):
    """One form of key.

    Attributes:
        pattern: The key behind the prefix, with ``*`` where keys differ.
        what: What is in it, in each language.
        about: Of whom it says something.
        ends: When it is gone, in each language.
        members: Whether the entries' own names are shown as an example, in hexadecimal: they are hashes.
    """

    pattern: str
    what: Mapping[Language, str]
    about: About
    ends: Mapping[Language, str]
    members: bool = False

    def matches(self, key: str) -> bool:
        """Whether `key`, without the prefix, is of this form."""
        return re.fullmatch(".*".join(map(re.escape, self.pattern.split("*"))), key, re.DOTALL) is not None
