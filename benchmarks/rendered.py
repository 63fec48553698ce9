"""How long an announcement takes until a reader can see it: from the request to the drawn frame of a real Chromium.

The demo page is open, which embeds the widget as a portal does. A frame counts as drawn when the task after its
animation callback runs, which is after the browser has painted it. The page's clock and ours are the machine's.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.errors import BrowserMissing, ProductFailed
from benchmarks.product import Product
from benchmarks.rounds import Plan, Step

_PATIENCE_MS = 60_000
_PAUSE_SECONDS = 0.05
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Notes by its title when a card has been drawn, and when it has gone (Unix time in milliseconds).
_WATCH = """
  window.came = {}; window.went = {};
  const now = () => performance.timeOrigin + performance.now();
  const drawn = (then) => requestAnimationFrame(() => setTimeout(then));
  new MutationObserver((moves) => {
    for (const { addedNodes, removedNodes } of moves) {
      for (const [nodes, noted] of [[addedNodes, came], [removedNodes, went]]) {
        for (const node of nodes) {
          if (node.localName !== 'loa-card') continue;
          const title = node.querySelector('loa-title').textContent;
          drawn(() => { noted[title] = now(); });
        }
      }
    }
  }).observe(document, { childList: true, subtree: true });
"""


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from the request to the frame that shows an announcement, or shows it no more, for each of them."""

    shown: list[float]
    gone: list[float]


def measure(plan: Plan, count: int, step: Step) -> Rendered:
    """Measures so many announcements and recalls; `step` is told what is being done.

    Raises:
        BenchmarkError: It cannot be measured.
    """
    try:
        from playwright.sync_api import Error, Page, sync_playwright  # noqa: PLC0415  only this part needs it
    except ImportError:
        raise BrowserMissing("Playwright is not installed; see the requirements of the tests") from None

    def seen(page: Page, where: str, title: str) -> float:
        page.wait_for_function("([where, title]) => title in window[where]", arg=[where, title], timeout=_PATIENCE_MS)
        return float(page.evaluate("([where, title]) => window[where][title]", [where, title])) / 1000

    step("in a browser: starting")
    shown, gone = [], []
    with (
        tempfile.TemporaryDirectory(prefix="loa-bench-") as directory,
        Product(Path(directory), 1, plan.cores.server) as product,
        sync_playwright() as playwright,
    ):
        own = next(filter(None, map(shutil.which, _NAMES)), None)
        try:
            browser = playwright.chromium.launch(
                executable_path=own, args=["--no-sandbox"] if os.geteuid() == 0 else []
            )
        except Error as error:
            raise BrowserMissing(f"Chromium does not start: {str(error).splitlines()[0]}") from None
        try:
            page = browser.new_page()
            page.add_init_script(_WATCH)
            page.goto(f"http://127.0.0.1:{product.port}/demo/", timeout=_PATIENCE_MS)
            # It is welcomed: the number is known.
            page.locator("loa-counter [part=text]").first.wait_for(timeout=_PATIENCE_MS)
            for number in range(count):
                step(f"in a browser: announcement {number + 1} of {count}")
                title = f"Tin số {number}"
                asked_at = time.time()
                asked = product.announce(title)
                shown.append(seen(page, "came", title) - asked_at)
                time.sleep(_PAUSE_SECONDS)
                asked_at = time.time()
                product.recall(asked.id)
                gone.append(seen(page, "went", title) - asked_at)
                time.sleep(_PAUSE_SECONDS)
        except Error as error:
            raise ProductFailed(f"the page did not show it: {str(error).splitlines()[0]}") from None
        finally:
            browser.close()
    return Rendered(shown=shown, gone=gone)
