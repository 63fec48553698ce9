from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.errors import RefusedSetting, UnreadableSettings
from settings.loader import load


class Room(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    # Of the class, and no setting: nobody is told that there is one.
    LIVE: ClassVar[frozenset[str]] = frozenset({"size"})
    name: str = "room"
    size: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3
    seconds: Annotated[float, msgspec.Meta(gt=0)] = 1.5
    open: bool = True
    doors: list[str] = []
    kind: Literal["wide", "high"] = "wide"

    def __post_init__(self) -> None:
        if self.kind == "high" and self.size < 2:
            raise ValueError("size must be at least 2 for a high one")
        if self.doors and not self.open:
            raise ValueError("doors are for a room that is open")


class House(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    hall: Room = Room()
    rooms: dict[str, Room] = {}

    def __post_init__(self) -> None:
        if "cellar" in self.rooms:
            raise ValueError("rooms.cellar: there is none")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "house.toml"


def refusal(file: Path, text: str, **environ: str) -> str:
    file.write_text(text)
    with pytest.raises(RefusedSetting) as refused:
        load(House, file, environ)
    line = str(refused.value)
    assert "\n" not in line
    return line.replace(str(file), "FILE")


def test_what_nobody_says_has_its_default() -> None:
    assert load(House, None, {"PATH": "/bin", "LOA_CONFIG": "x", "LOA_TOKEN": "y"}) == House()


def test_the_file_outranks_the_default_and_the_environment_the_file(file: Path) -> None:
    file.write_text('[hall]\nname = "a"\nsize = 4\n[rooms.north-side]\nsize = 5\n')
    environ = {"LOA_HALL_SIZE": "7", "LOA_ROOMS_NORTH_SIDE_DOORS": '["a", "b"]'}
    assert load(House, file, environ) == House(
        hall=Room(name="a", size=7), rooms={"north-side": Room(size=5, doors=["a", "b"])}
    )


def test_a_variable_is_read_as_what_it_is_for() -> None:
    environ = {
        "LOA_HALL_NAME": "true",
        "LOA_HALL_SECONDS": "2",
        "LOA_HALL_OPEN": "false",
        "LOA_HALL_KIND": "high",
        "LOA_HALL_DOORS": "[]",
    }
    assert load(House, None, environ).hall == Room(name="true", seconds=2.0, open=False, kind="high")


def test_a_variable_belongs_to_the_longest_id_that_fits(file: Path) -> None:
    file.write_text("[rooms.a]\n[rooms.a-b]\n")
    assert load(House, file, {"LOA_ROOMS_A_B_NAME": "x"}).rooms["a-b"].name == "x"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[hal]", "FILE: hal: no such setting: 'hal' is none of hall, rooms"),
        ("hall = 3", "FILE: hall: is a section: write [hall] and its settings below"),
        ("rooms = 3", "FILE: rooms: is a section: write [rooms.<id>] and its settings below"),
        ("rooms.a = 3", "FILE: rooms.a: is a section: write [rooms.a] and its settings below"),
        ("[hall]\nnam = 1", "FILE: hall.nam: no such setting; see config.toml for all of them"),
        ("[rooms.a]\nnam = 1", "FILE: rooms.a.nam: no such setting; see config.toml for all of them"),
        ("[hall]\nsize = '3'", "FILE: hall.size: expected `int`, got `str`"),
        ("[hall]\nsize = 11", "FILE: hall.size: expected `int` <= 10"),
        ("[hall]\ndoors = [1]", "FILE: hall.doors[0]: expected `str`, got `int`"),
        ("[hall]\nkind = 'low'", "FILE: hall.kind: invalid enum value 'low'; it is one of wide, high"),
        ("[hall]\nkind = 'high'\nsize = 1", "FILE: hall: size must be at least 2 for a high one"),
        ("[rooms.cellar]", "FILE: (file): rooms.cellar: there is none"),
    ],
)
def test_a_refusal_names_the_key_and_the_file(file: Path, text: str, line: str) -> None:
    assert refusal(file, text) == line


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("LOA_HALL_SIZE", "11", "environment: LOA_HALL_SIZE: expected `int` <= 10"),
        ("LOA_HALL_SIZE", "many", "environment: LOA_HALL_SIZE: 'many' is not a TOML value"),
        ("LOA_HALL_DOORS", "[1]", "environment: LOA_HALL_DOORS: expected `str`, got `int`"),
        ("LOA_HALL", "1", "environment: LOA_HALL: no such setting: 'hall' is none of hall, rooms"),
        (
            "LOA_HALL_SIZ",
            "1",
            "environment: LOA_HALL_SIZ: no such setting: 'siz' is none of doors, kind, name, open, seconds, size",
        ),
        ("LOA_ROOMS_B_SIZE", "1", "environment: LOA_ROOMS_B_SIZE: no such entry in the file; there are: a"),
        ("LOA_HALL_KIND", "high", "FILE and LOA_HALL_KIND: hall: size must be at least 2 for a high one"),
    ],
)
def test_a_refusal_names_the_variable(file: Path, variable: str, value: str, line: str) -> None:
    assert refusal(file, "[hall]\nsize = 1\n[rooms.a]", **{variable: value}) == line


@pytest.mark.parametrize(
    ("text", "variables", "blamed"),
    [
        ("", ["NAME", "SIZE", "KIND"], "LOA_HALL_SIZE"),
        ("size = 1", ["NAME", "KIND"], "FILE and LOA_HALL_KIND and LOA_HALL_NAME"),
        ("size = 1\nkind = 'high'", [], "FILE"),
        ("kind = 'high'", ["NAME", "SIZE"], "LOA_HALL_SIZE"),
    ],
)
def test_of_several_variables_the_one_that_is_named_is_blamed(
    file: Path, text: str, variables: list[str], blamed: str
) -> None:
    given = {"NAME": "x", "SIZE": "1", "KIND": "high"}
    environ = {f"LOA_HALL_{name}": given[name] for name in variables}
    assert refusal(file, f"[hall]\n{text}", **environ) == f"{blamed}: hall: size must be at least 2 for a high one"


def test_keys_of_the_file_and_of_the_environment_that_contradict_each_other_are_both_blamed(file: Path) -> None:
    said = "FILE and LOA_HALL_DOORS: hall: doors are for a room that is open"
    assert refusal(file, "[hall]\nopen = false", LOA_HALL_DOORS='["a"]', LOA_HALL_NAME="x") == said


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, content in [("absent", None), ("broken", b"["), ("latin", b'a = "\xe9"')]:
        file = tmp_path / path
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(UnreadableSettings, match=path):
            load(House, file, {})


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.integers() | st.text(max_size=8), max_size=3), st.text())
def test_nothing_but_a_refusal_comes_of_bad_input(table: dict[str, object], variable: str) -> None:
    # Whatever stands there, it is either read or refused; it never breaks.
    try:
        load(House, None, {f"LOA_{variable.upper()}": str(table), **{f"LOA_HALL_{key}": str(table) for key in table}})
    except RefusedSetting as refused:
        assert str(refused)
