from __future__ import annotations

import pytest

from notifications.people.browser import described

_MOZILLA = "Mozilla/5.0"


@pytest.mark.parametrize(
    ("agent", "text"),
    [
        (f"{_MOZILLA} (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Windows"),
        (f"{_MOZILLA} (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36", "Chrome, Linux"),
        (f"{_MOZILLA} (Windows NT 10.0) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/150.0", "Edge, Windows"),
        (f"{_MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari, iPhone"),
        (f"{_MOZILLA} (Linux; Android 15; K) AppleWebKit/537.36 Chrome/150.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15", "Safari, macOS"),
        ("curl/8.5", ""),
        ("", ""),
    ],
)
def test_it_is_known_again(agent: str, text: str) -> None:
    assert described(agent) == text
