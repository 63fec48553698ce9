"""How a browser calls itself, in two words, so that people know their own sessions again.

Only what is told apart here is kept; the whole text would know a device better than its owner needs.

Pure.
"""

from __future__ import annotations

# In this order: most of them call themselves by the names of those behind them too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("coc_coc_browser", "Cốc Cốc"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def described(agent: str) -> str:
    """Browser and system, such as ``Firefox, Windows``; empty where neither is known."""
    return ", ".join(filter(None, (_first(agent, _BROWSERS), _first(agent, _SYSTEMS))))


def _first(agent: str, known: tuple[tuple[str, str], ...]) -> str:
    return next((name for part, name in known if part in agent), "")
