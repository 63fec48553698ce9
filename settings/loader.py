"""Reads a TOML file and ``LOA_…`` environment variables into the sections the rooms describe.

A value is taken from the environment before the file, and from the file before the default in the struct.
Nothing is ignored: an unknown key, a misspelt variable, a wrong type and a contradiction are each refused
with the place they came from. Reading has no effect on anything.

An environment variable is named after the key: ``gateway.ping_seconds`` is ``LOA_GATEWAY_PING_SECONDS``, and
``sites.demo.origins`` is ``LOA_SITES_DEMO_ORIGINS`` (a dash in a site's id is written ``_``). Text is taken as
it stands; numbers, true/false and lists are written as in TOML.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from settings.errors import RefusedSetting, UnreadableSettings

T = TypeVar("T", bound=msgspec.Struct)

PREFIX = "LOA_"
# Read by the command line itself; they are no settings of the service.
RESERVED = frozenset({"LOA_CONFIG", "LOA_DATA_DIR", "LOA_TOKEN", "LOA_URL"})

_PATH_IN_ERROR = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_UNKNOWN_FIELD = re.compile(r"unknown field `(?P<name>[^`]*)`")


def load(kind: type[T], file: Path | None, environ: Mapping[str, str]) -> T:
    """Returns the settings of the whole house.

    Args:
        kind: A struct with one field a section; a section is a struct, or a ``dict`` of structs by id.
        file: The TOML file, or None for defaults only.
        environ: The environment.

    Raises:
        UnreadableSettings: The file cannot be read or is not TOML.
        RefusedSetting: A key or a variable cannot be accepted.
    """
    source = str(file) if file is not None else "default settings"
    tree = _read(file) if file is not None else {}
    _see_that_tables_are(kind, tree, source)
    origins = _overlay(kind, tree, environ)
    refused = _Refusals(source, origins)
    sections: dict[str, Any] = {}
    for name, struct in get_type_hints(kind).items():
        if name not in tree:
            continue
        if get_origin(struct) is dict:
            member = get_args(struct)[1]
            sections[name] = {id: refused.convert(one, member, f"{name}.{id}") for id, one in tree[name].items()}
        else:
            sections[name] = refused.convert(tree[name], struct, name)
    try:
        return kind(**sections)
    except ValueError as error:
        raise RefusedSetting(source, "(file)", str(error)) from None


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise UnreadableSettings(str(file), error.strerror or "cannot be read") from None
    except UnicodeDecodeError:
        raise UnreadableSettings(str(file), "is not UTF-8 text") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UnreadableSettings(str(file), f"is not TOML: {error}") from None


def _see_that_tables_are(kind: type[msgspec.Struct], tree: dict[str, Any], source: str) -> None:
    """Refuses a section nobody knows, and a value where a section belongs."""
    known = get_type_hints(kind)
    for name, branch in tree.items():
        if name not in known:
            raise RefusedSetting(source, name, _unknown(name, known))
        tables = {name: branch}
        if get_origin(known[name]) is dict and isinstance(branch, dict):
            tables = {f"{name}.{id}": one for id, one in branch.items()}
        for path, table in tables.items():
            if not isinstance(table, dict):
                heading = path if "." in path or get_origin(known[name]) is not dict else f"{path}.<id>"
                raise RefusedSetting(source, path, f"is a section: write [{heading}] and its settings below")


def _overlay(kind: type[msgspec.Struct], tree: dict[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """Writes the environment's values into `tree`; returns which variable each dotted key came from."""
    origins: dict[str, str] = {}
    sections = {section.name: section for section in msgspec.structs.fields(kind)}
    hints = get_type_hints(kind)
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable in RESERVED:
            continue
        name = variable.removeprefix(PREFIX).lower()
        section, _, key = name.partition("_")
        if section not in sections or not key:
            raise RefusedSetting("environment", variable, _unknown(section, sections))
        branch = tree.setdefault(section, {})
        struct = hints[section]
        path = section
        if get_origin(struct) is dict:
            member, struct = _member(branch, struct, key, variable)
            key = key.removeprefix(member.replace("-", "_") + "_")
            branch = branch[member]
            path = f"{section}.{member}"
        fields = _fields(struct)
        if key not in fields:
            raise RefusedSetting("environment", variable, _unknown(key, fields))
        branch[key] = _value(text, fields[key], variable)
        origins[f"{path}.{key}"] = variable
    return origins


def _member(branch: dict[str, Any], mapping: Any, key: str, variable: str) -> tuple[str, type[msgspec.Struct]]:
    """Which entry of a ``dict`` section a variable speaks of; the longest id that fits."""
    known = sorted((member for member in branch if key.startswith(member.replace("-", "_") + "_")), key=len)
    if not known:
        raise RefusedSetting("environment", variable, f"no such entry in the file; there are: {', '.join(branch)}")
    return known[-1], get_args(mapping)[1]


def _value(text: str, hint: Any, variable: str) -> Any:
    if hint is str or (get_origin(hint) is Literal and all(isinstance(one, str) for one in get_args(hint))):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        raise RefusedSetting("environment", variable, f"{text!r} is not a TOML value") from None


class _Refusals:
    """Turns msgspec's messages into ones that name the key as the file, or the environment, spells it."""

    def __init__(self, source: str, origins: Mapping[str, str]) -> None:
        self._source = source
        self._origins = origins

    def convert(self, table: dict[str, Any], struct: type[T], section: str) -> T:
        """`table` as `struct`."""
        try:
            return msgspec.convert(table, struct, strict=True)
        except msgspec.ValidationError as error:
            raise self._refusal(str(error), struct, section, table) from None

    def _refusal(
        self, message: str, struct: type[msgspec.Struct], section: str, table: Mapping[str, Any]
    ) -> RefusedSetting:
        path = section
        if found := _PATH_IN_ERROR.search(message):
            path += found["path"]
            message = message[: found.start()]
        if unknown := _UNKNOWN_FIELD.search(message):
            why = "no such setting; see config.toml for all of them"
            return RefusedSetting(self._source, f"{path}.{unknown['name']}", why)
        if path == section:
            return RefusedSetting(" and ".join(self._blamed(message, section, table)), section, message)
        message = message[:1].lower() + message[1:]
        choices = get_type_hints(struct).get(path.removeprefix(f"{section}."))
        if get_origin(choices) is Literal:
            message += f"; it is one of {', '.join(map(str, get_args(choices)))}"
        # An element of a list comes from where the list does.
        variable = self._origins.get(path.partition("[")[0])
        if variable is not None:
            return RefusedSetting("environment", variable, message)
        return RefusedSetting(self._source, path, message)

    def _blamed(self, message: str, section: str, table: Mapping[str, Any]) -> list[str]:
        """Where the keys come from that contradict each other, or what is wanted of them: those that are named, and
        where none of them is a variable's, all that may have to do with it."""
        named = [key for key in table if re.search(rf"\b{re.escape(key)}\b", message)]
        variables = [self._origins[path] for key in named if (path := f"{section}.{key}") in self._origins]
        if not variables:
            return [self._source, *(one for path, one in self._origins.items() if path.startswith(f"{section}."))]
        return variables if len(variables) == len(named) else [self._source, *variables]


def _fields(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Settings of a section with their types; what belongs to its class is none."""
    hints = get_type_hints(struct)
    return {field.name: hints[field.name] for field in msgspec.structs.fields(struct)}


def _unknown(name: str, among: Mapping[str, object]) -> str:
    return f"no such setting: {name!r} is none of {', '.join(sorted(among))}"
