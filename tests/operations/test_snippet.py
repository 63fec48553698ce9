"""``loa snippet``: the lines to paste, which must be right as they stand; run as a command, without a service."""

from __future__ import annotations

import html.parser
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.sites import SiteSettings
from operations.settings import ServerSettings
from operations.snippet import SYSTEMS, local, text
from server import joined
from tests.service import LOA

BASE = "https://loa.example.vn"
SITE = SiteSettings(origins=["https://portal.example.vn"])


class Tags(html.parser.HTMLParser):
    """The elements of a text, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def one(self, tag: str) -> dict[str, str | None]:
        """The attributes of the only element of this kind."""
        (attributes,) = [attributes for name, attributes in self.found if name == tag]
        return attributes


def run(*arguments: str, config: str, directory: Path) -> subprocess.CompletedProcess[str]:
    file = directory / "config.toml"
    file.write_text(config)
    return subprocess.run(
        [LOA, "snippet", *arguments, "--config", str(file)], capture_output=True, text=True, check=False, timeout=90
    )


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_gets_the_script_the_counter_and_the_picture(system: str, language: str) -> None:
    said = text("demo", SITE, system=system, base=BASE, language=language)
    tags = Tags("\n".join(line for line in said.splitlines() if re.match(r"<(script|p>|loa-|noscript)", line)))
    assert tags.one("script") == {"src": f"{BASE}/widget.js", "data-site": "demo", "async": None}
    assert tags.one("loa-counter") == {}
    picture = tags.one("img")
    assert picture["src"] == f"{BASE}/badge/demo.svg?style=plain&lang={language}"
    assert picture["alt"]
    assert f"script-src {BASE};" in said
    assert f"connect-src {BASE} wss://loa.example.vn;" in said
    assert f"img-src {BASE};" in said
    assert "https://portal.example.vn" in said
    assert ("Paste" in said) is (language == "en")
    assert "{{" not in said and "{%" not in said


@pytest.mark.parametrize(
    ("system", "file"),
    [
        ("nukeviet", "layout/header_only.tpl"),
        ("nukeviet", "layout/footer_extended.tpl"),
        ("dnn", "Portals/_default/Skins/"),
        ("wordpress", "functions.php"),
        ("joomla", "/index.php"),
    ],
)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_files_of_a_system_are_named(system: str, file: str, language: str) -> None:
    assert file in text("demo", SITE, system=system, base=BASE, language=language)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_pinned_version_is_the_one_that_is_served(system: str) -> None:
    pinned = joined()
    said = text("demo", SITE, system=system, base=BASE, pinned=pinned)
    script = Tags("\n".join(line for line in said.splitlines() if line.startswith("<script"))).one("script")
    assert script["src"] == f"{BASE}/widget-{pinned.name}.js"
    assert script["integrity"] == pinned.integrity
    assert script["crossorigin"] == "anonymous"


def test_nothing_of_nukeviet_s_templates_is_taken_for_a_variable() -> None:
    said = text("demo", SITE, system="nukeviet", base=BASE, pinned=joined())
    for line in said.splitlines():
        if line.startswith("<"):
            assert "{" not in line


def test_a_policy_names_origins_also_where_the_service_has_a_path() -> None:
    said = text("demo", SITE, system="html", base="http://portal.example.vn:8000/loa")
    assert 'src="http://portal.example.vn:8000/loa/widget.js"' in said
    assert "connect-src http://portal.example.vn:8000 ws://portal.example.vn:8000;" in said


@pytest.mark.parametrize(
    ("server", "address"),
    [
        (ServerSettings(), "http://127.0.0.1:8080"),
        (ServerSettings(host="::1", port=0), "http://[::1]:8080"),
        (ServerSettings(port=443, certificate="a", private_key="b"), "https://127.0.0.1:443"),
    ],
)
def test_without_an_address_it_is_this_machine_s(server: ServerSettings, address: str) -> None:
    assert local(server) == address


@pytest.mark.slow
def test_the_command_reads_the_settings(tmp_path: Path) -> None:
    config = '[server]\npublic_url = "https://loa.example.vn/"\n[sites.tinh]\nlanguage = "en"\n'
    said = run("--site", "tinh", "--for", "dnn", "--pinned", config=config, directory=tmp_path)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == text(
        "tinh", SiteSettings(language="en"), system="dnn", base="https://loa.example.vn", pinned=joined()
    )
    assert "none yet" in said.stdout


@pytest.mark.slow
def test_an_address_that_only_this_machine_reaches_is_said_to_be_one(tmp_path: Path) -> None:
    said = run(config="[sites.demo]\n", directory=tmp_path)
    assert said.returncode == 0
    assert "http://127.0.0.1:8080/widget.js" in said.stdout
    assert said.stderr.count("\n") == 1 and "--url" in said.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["--site", "khac"], 1, "khac"),
        (["--for", "drupal"], 2, "drupal"),
        (["--lang", "fr"], 2, "fr"),
        (["--url", "loa.example.vn"], 2, "--url"),
        (["--url", "javascript:alert(1)"], 2, "--url"),
        (["--url", 'https://x"><script>'], 2, "--url"),
        (["--url", "https://x/?a"], 2, "--url"),
        (["--url", "https://x:99999"], 2, "--url"),
    ],
)
def test_an_error_is_one_line(tmp_path: Path, arguments: list[str], code: int, part: str) -> None:
    said = run(*arguments, config="[sites.demo]\n", directory=tmp_path)
    assert (said.returncode, said.stdout) == (code, "")
    assert said.stderr.count("\n") == 1 and part in said.stderr


def test_no_word_of_a_template_is_left_out_of_the_other_language() -> None:
    """Both have the same branches: what one system is told in one language it is told in the other."""
    folder = Path(sys.modules["operations.snippet"].__file__ or "").parent / "templates"
    branches = [
        re.findall(r"{% .*?%}", re.sub(r"picture\(.*?\)", "", (folder / f"snippet.{language}.txt").read_text("utf-8")))
        for language in ("vi", "en")
    ]
    assert branches[0] == branches[1]
