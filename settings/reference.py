"""Describes every setting from the struct it is read into: what it is for, what it accepts, its default, its variable.

The words are those of the struct's docstring (``Attributes:``), so they are written once and stand beside the code.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import msgspec
from msgspec.inspect import BoolType, FloatType, IntType, ListType, LiteralType, Metadata, StrType, type_info

from settings.loader import PREFIX

_ATTRIBUTE = re.compile(r"^ {4}(?P<name>\w+): (?P<text>.*)$")
_CONTINUATION = re.compile(r"^ {8,}(?P<text>\S.*)$")


class Setting(NamedTuple):
    """One key: its section as the file spells it, ``sites.<id>``, and the rest for people."""

    section: str
    key: str
    default: object
    accepts: str
    meaning: str

    @property
    def variable(self) -> str:
        """The environment variable that outranks the file."""
        return PREFIX + f"{self.section}_{self.key}".replace(".", "_").upper().replace("<ID>", "<id>")


class Section(NamedTuple):
    """A section, what it is about, and its settings."""

    name: str
    purpose: str
    settings: list[Setting]


def sections(kind: type[msgspec.Struct]) -> Iterator[Section]:
    """All sections of `kind`, whose fields are structs, or ``dict``s of structs by id."""
    for name, hint in get_type_hints(kind).items():
        several = get_origin(hint) is dict
        struct = get_args(hint)[1] if several else hint
        yield _section(f"{name}.<id>" if several else name, struct)


def markdown(kind: type[msgspec.Struct]) -> str:
    """The page ``docs/configuration.md``."""
    lines = [
        "# Configuration",
        "",
        "<!-- Written by `make docs` from the code; a test sees that it is in step. -->",
        "",
        "Loa reads `config.toml`: the file that `--config` or `LOA_CONFIG` names, else the one in the working",
        "directory, else the one it came with. An environment variable outranks the file; what neither names has its",
        "default. In a variable, text is taken as it stands; numbers, true/false and lists are written as in the file,",
        "and a dash in a site's id as `_`. An unknown key, a value of the wrong type and a contradiction are refused",
        "at start, in one line that names the key. `LOA_DATA_DIR` (or `--data-dir`) outranks `server.data_dir`.",
        "",
    ]
    for section in sections(kind):
        lines += [f"## `[{section.name}]`", "", section.purpose, ""]
        lines += ["| setting | default | accepts | meaning | variable |", "|---|---|---|---|---|"]
        for one in section.settings:
            cells = [f"`{one.key}`", f"`{_toml(one.default)}`", one.accepts, one.meaning, f"`{one.variable}`"]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)


def _section(name: str, struct: type[msgspec.Struct]) -> Section:
    text = inspect.getdoc(struct) or ""
    meanings = _attributes(text)
    hints = get_type_hints(struct, include_extras=True)
    settings = [
        Setting(name, field.name, _default(field), _accepts(hints[field.name]), meanings.get(field.name, ""))
        for field in msgspec.structs.fields(struct)
    ]
    return Section(name, text.partition("\n")[0], settings)


def _attributes(text: str) -> dict[str, str]:
    """What the docstring's ``Attributes:`` say, a line each."""
    meanings: dict[str, str] = {}
    name = ""
    for line in text.partition("\nAttributes:\n")[2].splitlines():
        if found := _ATTRIBUTE.match(line):
            name = found["name"]
            meanings[name] = found["text"].replace("``", "`")
        elif name and (found := _CONTINUATION.match(line)):
            meanings[name] += " " + found["text"].replace("``", "`")
        else:
            break
    return meanings


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else None


def _accepts(hint: Any) -> str:
    kind = type_info(hint)
    while isinstance(kind, Metadata):
        kind = kind.type
    match kind:
        case BoolType():
            return "true or false"
        case IntType():
            return f"whole number{_bounds(kind)}"
        case FloatType():
            return f"number{_bounds(kind)}"
        case LiteralType():
            return " or ".join(f"`{value}`" for value in kind.values)
        case ListType():
            return "list of numbers" if isinstance(kind.item_type, FloatType) else "list of texts"
        case StrType():
            return f"text, `{kind.pattern}`" if kind.pattern else "text"
    raise TypeError(f"no words for {hint}")


def _bounds(kind: IntType | FloatType) -> str:
    bounds = []
    if kind.ge is not None:
        bounds.append(f"at least {kind.ge:,}")
    if kind.gt is not None:
        bounds.append(f"over {kind.gt:,}")
    if kind.le is not None:
        bounds.append(f"at most {kind.le:,}")
    return f", {' and '.join(bounds)}" if bounds else ""


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case list():
            return f"[{', '.join(_toml(one) for one in value)}]"
    return str(value)
