"""``config.toml`` and ``docs/configuration.md`` say what the code does, all of it."""

from __future__ import annotations

import re
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from loa import Settings
from settings.commandline import DEFAULT_FILE
from settings.loader import load
from settings.reference import markdown, sections

ROOT = DEFAULT_FILE.parent
LINES = DEFAULT_FILE.read_text("utf-8").splitlines()
KEY = re.compile(r"^(?P<key>[a-z_]+) = ")
# The one site of the file is an example, and an example has a name and origins.
OF_THE_EXAMPLE = {"name", "origins"}


def structs() -> list[tuple[str, type[msgspec.Struct]]]:
    """The sections as the file names them."""
    found = []
    for name, hint in get_type_hints(Settings).items():
        several = get_origin(hint) is dict
        found.append((f"{name}.demo" if several else name, get_args(hint)[1] if several else hint))
    return found


def section_lines(name: str) -> list[str]:
    begin = LINES.index(f"[{name}]") + 1
    length = next((n for n, line in enumerate(LINES[begin:]) if line.startswith("[")), len(LINES))
    return LINES[begin : begin + length]


@pytest.mark.parametrize(("name", "struct"), structs(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_setting_stands_in_the_file_with_its_default(name: str, struct: type[msgspec.Struct]) -> None:
    keys = [found["key"] for line in section_lines(name) if (found := KEY.match(line))]
    assert keys and sorted(keys) == sorted(struct.__struct_fields__)
    settings: Any = load(Settings, DEFAULT_FILE, {})
    for step in name.split("."):
        settings = settings[step] if isinstance(settings, dict) else getattr(settings, step)
    differing = {key for key in keys if getattr(settings, key) != getattr(struct(), key)}
    assert differing <= (OF_THE_EXAMPLE if "." in name else set())


@pytest.mark.parametrize("name", [name for name, _ in structs()])
def test_every_setting_is_explained_where_it_stands(name: str) -> None:
    explained = False
    for line in section_lines(name):
        if line.startswith("#"):
            explained = True
        elif KEY.match(line):
            assert explained, line
        elif not line:
            explained = False


def test_the_only_site_lets_in_pages_of_this_machine_alone() -> None:
    (site,) = load(Settings, DEFAULT_FILE, {}).sites.values()
    assert {origin.split("://")[1] for origin in site.origins} == {"localhost:*", "127.0.0.1:*", "[::1]:*"}


def test_every_setting_has_words_in_the_code() -> None:
    described = [one for section in sections(Settings) for one in section.settings]
    assert [f"{one.section}.{one.key}" for one in described if not one.meaning] == []
    assert len(described) == sum(len(struct.__struct_fields__) for _, struct in structs())


def test_the_page_is_in_step_with_the_code() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert page == markdown(Settings), "run `make docs`"


def test_a_variable_of_the_page_is_one_that_is_read() -> None:
    for section in sections(Settings):
        for one in section.settings:
            if isinstance(one.default, str) or section.name.startswith("sites"):
                continue
            text = str(one.default).lower().replace("'", '"')
            load(Settings, DEFAULT_FILE, {one.variable: text})
