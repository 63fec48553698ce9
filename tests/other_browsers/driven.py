"""What the tests of this folder ask of a browser, whichever it is."""

from __future__ import annotations

import json
from typing import Any, Protocol


class Driven(Protocol):
    """A browser of one reader, without a past; its tabs share what it keeps."""

    async def open(self, address: str) -> str:
        """Opens a tab and waits until it is loaded; returns its name."""

    async def visit(self, tab: str, address: str) -> None:
        """Has a tab go elsewhere and waits until that is loaded."""

    async def run(self, tab: str, script: str) -> Any:
        """What the body of an asynchronous function returns that is run in a page, as JSON."""

    async def close(self, tab: str) -> None:
        """Closes a tab."""


def as_json(script: str) -> str:
    """`script` as an expression: a promise of a text, since only texts are the same in all browsers' answers."""
    return f"(async () => {{ {script} }})().then((found) => JSON.stringify(found === undefined ? null : found))"


def from_json(text: object) -> Any:
    """What that has become."""
    assert isinstance(text, str)
    return json.loads(text)


# Runs before the widget does. A browser that is driven says so, and would be told apart as a robot; and what a page
# complains of is kept where a test can look.
PERSON = """<script>
Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false });
window.complaints = [];
addEventListener('error', (event) => complaints.push(String(event.message || event.target.src)), true);
addEventListener('unhandledrejection', (event) => complaints.push(String(event.reason)));
document.addEventListener('securitypolicyviolation', (event) =>
  complaints.push(`policy: ${event.effectiveDirective} ${event.blockedURI}`));
for (const level of ['error', 'warn'])
  console[level] = (...words) => complaints.push(words.join(' '));
</script>"""
