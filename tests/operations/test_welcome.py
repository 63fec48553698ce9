from __future__ import annotations

import io
import shlex

from rich.console import Console

from operations.supervisor import Running
from operations.welcome import greet


def said(*, token: str | None, demo: bool = True, options: tuple[str, ...] = (), site: str = "demo") -> str:
    out = io.StringIO()
    running = Running(
        local_url="http://127.0.0.1:8080", ops_url="http://127.0.0.1:8081", workers=1, store="Valkey", token=token
    )
    greet(Console(file=out, width=40), running, site=site, loa=".venv/bin/loa", demo=demo, options=list(options))
    return out.getvalue()


def test_it_says_where_everything_is() -> None:
    text = said(token=None)
    for address in (
        "http://127.0.0.1:8080/demo/",
        "http://127.0.0.1:8080/console/",
        "http://127.0.0.1:8080/api/docs",
        "http://127.0.0.1:8081/readyz",
    ):
        assert address in text
    assert "1 worker," in text
    assert "token" not in text


def test_without_a_demo_page_none_is_named() -> None:
    assert "/demo/" not in said(token=None, demo=False)


def test_the_first_time_it_shows_a_command_that_a_shell_takes_as_it_stands() -> None:
    text = said(token="loa_x_y", options=("--data-dir", "/var/my data"))
    (line,) = [line for line in text.splitlines() if "announce" in line and "--site" in line]
    words = shlex.split(line)
    assert words[:4] == ["LOA_TOKEN=loa_x_y", ".venv/bin/loa", "announce", "--data-dir"]
    assert words[4:] == ["/var/my data", "--site", "demo", "--severity", "breaking", "--title", "Xin chào!"]


def test_the_first_time_it_tells_how_to_make_a_user_and_gives_no_password() -> None:
    text = said(token="loa_x_y", options=("--data-dir", "/var/my data"))
    (line,) = [line for line in text.splitlines() if "user add" in line]
    assert shlex.split(line) == [
        ".venv/bin/loa", "user", "add", "--data-dir", "/var/my data", "NAME", "--role", "admin", "--site", "*",
    ]  # fmt: skip
    assert "user add" not in said(token=None)
