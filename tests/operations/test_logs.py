from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from operations.logs import MASK, mask_secrets

PROGRAM = """
import logging, sys
from operations import logs
import structlog
log = structlog.get_logger("room")
logs.configure(sys.argv[1], "info", worker=3)
log.debug("unheard")
log.info("heard", site="demo", token="loa_1_secret")
logging.getLogger("aiohttp.server").error("from a library: %s", "redis://u:geheim@host")
logging.getLogger("aiohttp.access").info("unheard")
password = "geheim"
try:
    raise RuntimeError("broken")
except RuntimeError:
    log.exception("failed")
"""


def lines(form: str) -> str:
    done = subprocess.run([sys.executable, "-c", PROGRAM, form], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr


@pytest.mark.slow
def test_for_machines_each_line_is_an_object() -> None:
    text = lines("json")
    found: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    assert [(one["event"], one["level"], one["worker"]) for one in found] == [
        ("heard", "info", 3),
        (f"from a library: redis://u:{MASK}@host", "error", 3),
        ("failed", "error", 3),
    ]
    assert found[0]["site"] == "demo"
    assert found[0]["token"] == MASK
    assert found[2]["exception"][0]["exc_value"] == "broken"
    assert "geheim" not in text


@pytest.mark.slow
def test_for_people_each_line_is_readable_and_a_trace_shows_no_values() -> None:
    text = lines("console")
    assert "heard" in text
    assert "site=demo" in text
    assert "unheard" not in text
    assert "RuntimeError: broken" in text
    assert "\x1b" not in text
    assert text.count("geheim") <= 1  # the trace quotes no values, at most the source line of the program itself


@pytest.mark.parametrize(
    ("event", "masked"),
    [
        ({"password": "x"}, {"password": MASK}),
        ({"api_token": "x", "Authorization": "Bearer x"}, {"api_token": MASK, "Authorization": MASK}),
        ({"token": ""}, {"token": ""}),
        ({"url": "redis://:p@h/0", "n": 3}, {"url": f"redis://:{MASK}@h/0", "n": 3}),
        ({"mail": "a@b.vn"}, {"mail": "a@b.vn"}),
    ],
)
def test_what_is_secret_is_masked(event: dict[str, object], masked: dict[str, object]) -> None:
    assert mask_secrets(None, "info", dict(event)) == masked
