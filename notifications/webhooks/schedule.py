"""When a delivery that failed is tried again.

The pauses are those of ``notifications.webhook_retries``, each a fifth shorter or longer by chance, so that what
failed together does not come back together; never before the receiver said (``Retry-After``).

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Whoever asks us to come back later than in a day is asked tomorrow.
MOST_ASKED_SECONDS = 86_400.0
_SPREAD = 0.2


def pause_seconds(tries: int, pauses: Sequence[float], *, chance: float, asked_seconds: float = 0.0) -> float | None:
    """How long to wait after `tries` failed ones; None if that was the last.

    Args:
        tries: How often it was tried, at least once.
        pauses: After the first try, the second, and so on.
        chance: From 0 to 1.
        asked_seconds: How long the receiver asked us to wait.
    """
    if tries > len(pauses):
        return None
    spread = pauses[tries - 1] * (1 - _SPREAD + 2 * _SPREAD * chance)
    return max(spread, min(asked_seconds, MOST_ASKED_SECONDS))


def asked_seconds(header: str, now: float) -> float:
    """What ``Retry-After`` asks for (RFC 9110, 10.2.3): seconds, or a date; 0 if it says nothing.

    Args:
        header: Its value.
        now: Unix time in seconds.
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.fromtimestamp(now, UTC)).total_seconds())
