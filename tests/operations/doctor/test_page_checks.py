from __future__ import annotations

import pytest

from operations.doctor.page_checks import Fetched, page
from operations.doctor.policy import read

LOA = "https://loa.example.vn"
URL = "https://portal.example.vn/tin"
SITES = {"demo": ["https://portal.example.vn"]}
LINES = f'<script src="{LOA}/widget.js" data-site="demo" async></script><loa-counter></loa-counter>'


def told(html: str = LINES, *, public: str = LOA, **changed: object) -> dict[str, tuple[str, str, str]]:
    fetched = Fetched(**{"url": URL, "status": 200, "html": html, **changed})  # type: ignore[arg-type]
    found = page(fetched, read(fetched.html, fetched.url), SITES, public)
    return {one.check: (one.level, one.found, one.remedy) for one in found}


def test_a_good_page_is_ok_throughout() -> None:
    assert {level for level, _, _ in told().values()} == {"ok"}
    assert {level for level, _, _ in told(public="").values()} == {"ok"}


@pytest.mark.parametrize(
    ("html", "changed", "check", "level", "words"),
    [
        (LINES, {"status": 404}, "page", "bad", "answers 404"),
        (LINES, {"status": 0, "failure": "refused"}, "page", "bad", "does not answer: refused"),
        ("<p>Tin</p>", {}, "page", "bad", "loa snippet"),
        (LINES.replace("loa.example", "old.example"), {}, "page", "bad", "it has one from https://old.example.vn"),
        (LINES.replace("demo", "dmeo"), {}, "page, origin", "bad", "use one of demo"),
        (LINES, {"url": "https://www.example.vn/"}, "page, origin", "bad", 'add "https://www.example.vn" to'),
        (LINES.replace("loa-counter", "p"), {}, "page, counter", "warning", "<loa-counter>"),
        (
            LINES, {"headers": ["script-src *; connect-src wss://loa.example.vn https://loa.example.vn"]},
            "page, Content-Security-Policy", "ok", "allows all",
        ),
        (
            LINES, {"headers": ["default-src *; connect-src 'self'"]},
            "page, Content-Security-Policy", "bad", "add https://loa.example.vn to connect-src",
        ),
        (
            f'<meta http-equiv="Content-Security-Policy" content="script-src \'self\'">{LINES}', {},
            "page, Content-Security-Policy", "bad", "script-src does not allow https://loa.example.vn",
        ),
    ],
)  # fmt: skip
def test_each_fault_of_a_page_is_told(
    html: str, changed: dict[str, object], check: str, level: str, words: str
) -> None:
    found = told(html, **changed)[check]  # type: ignore[arg-type]
    assert found[0] == level
    assert words in found[1] + found[2]


def test_http_on_a_page_of_https_is_told() -> None:
    found = told(LINES.replace("https:", "http:"), public="http://loa.example.vn")
    assert found["page, https"][0] == "bad"
