"""``loa privacy``: what the store holds about readers at this moment, for whoever has to answer for it.

It prints what each room says it keeps beside what is really there, form by form, with lifetimes; made to be put into a
record of processing (Vietnam's Law 91/2025/QH15, GDPR article 30). It reads and changes nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from redis.exceptions import RedisError

import notifications.inventory
import presence.inventory
from notifications import client
from operations.stores import of_leases
from operations.survey import Line, survey
from settings.commandline import Command, Deployment, Failure
from settings.progress import progress
from store.inventory import About, Kept, Language
from store.nodes import each
from store.refusal import failing

INVENTORY = (
    *presence.inventory.INVENTORY,
    *notifications.inventory.INVENTORY,
    Kept(
        "widgets",
        {"vi": "các bản của widget.js đã phát hành", "en": "every version of widget.js that was served"},
        "nobody",
        {"vi": "không tự hết", "en": "never by itself"},
    ),
    Kept(
        "layout",
        {"vi": "phiên bản cách sắp xếp các khóa", "en": "the version of the layout of keys"},
        "nobody",
        {"vi": "không tự hết", "en": "never by itself"},
    ),
    Kept(
        "restoring:*",
        {"vi": "phần còn lại của một lần khôi phục dở dang", "en": "what an interrupted restore has left"},
        "editors",
        {"vi": "khi khôi phục lần sau", "en": "at the next restore"},
    ),
)

_ABOUT: dict[Language, dict[About, str]] = {
    "vi": {
        "pseudonyms": "bạn đọc, dưới bí danh của ngày",
        "numbers": "bạn đọc, chỉ là con số",
        "editors": "biên tập viên",
        "nobody": "không ai",
    },
    "en": {
        "pseudonyms": "readers, under a pseudonym of the day",
        "numbers": "readers, as numbers only",
        "editors": "editors",
        "nobody": "nobody",
    },
}
_WORDS: dict[Language, dict[str, str]] = {
    "vi": {
        "title": "Loa giữ gì về bạn đọc, lúc {when}",
        "none": "Không có cookie; không lưu địa chỉ mạng hay User-Agent của bạn đọc ở bất cứ đâu trong kho.",
        "browser": 'Trình duyệt giữ một mã ngẫu nhiên đã ký (localStorage); tắt bằng presence.identity = "session".',
        "columns": "khóa|có gì|về ai|số khóa|số mục|hết khi|còn (giây)|ví dụ",
        "unknown": "KHÔNG RÕ: khóa mà không phần nào của Loa khai báo",
        "lasting": "lâu dài",
    },
    "en": {
        "title": "What Loa keeps about readers, at {when}",
        "none": "No cookie; no reader's network address and no user agent is kept anywhere in the store.",
        "browser": 'Browsers keep a signed random id (localStorage); presence.identity = "session" does without.',
        "columns": "key|what|about|keys|entries|ends|left (s)|example",
        "unknown": "UNKNOWN: keys that no part of Loa has told of",
        "lasting": "lasting",
    },
}


@click.command(cls=Command)
@click.option("--lang", type=click.Choice(["vi", "en"]), default="vi", show_default=True, help="In which language.")
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True, help="How."
)
@click.pass_obj
def privacy(deployment: Deployment, lang: Language, form: str) -> None:
    """Print what the store holds about readers at this moment, key by key, with lifetimes."""

    async def look() -> list[Line]:
        async with AsyncExitStack() as stack:
            try:
                redis, prefix = await stack.enter_async_context(client.opened_store(deployment))
                stores = [redis]
                if (apart := of_leases(deployment)) is not None:
                    servers = await stack.enter_async_context(each(*apart, "loa-command"))
                    stores += servers.values()
                display = stack.enter_context(progress())
                task = display.add_task("", total=None)
                return await survey(
                    stores, prefix, INVENTORY, lambda keys: display.update(task, description=f"{keys:,} keys")
                )
            except (RedisError, OSError) as error:
                raise Failure(f"the store {failing(error)}") from None

    lines = asyncio.run(look())
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode({"at": now, "lines": [_json(one, lang) for one in lines]})))
        return
    words = _WORDS[lang]
    columns = words["columns"].split("|")
    rows = [_row(one, lang) for one in lines]
    if form == "markdown":
        click.echo(f"# {words['title'].format(when=now)}\n\n{words['none']} {words['browser']}\n")
        click.echo("\n".join(f"| {' | '.join(row)} |" for row in [columns, ["---"] * len(columns), *rows]))
        return
    click.echo(f"{words['title'].format(when=now)}\n{words['none']}\n{words['browser']}")
    for key, *cells in rows:
        click.echo(f"\n{key}")
        for name, cell in zip(columns[1:], cells, strict=True):
            if cell:
                click.echo(f"  {name}: {cell}")


def _row(line: Line, language: Language) -> list[str]:
    """A line as texts, in the order of the columns."""
    words = _WORDS[language]
    kept = line.kept
    left = "" if line.longest_seconds is None else f"{line.shortest_seconds:,}–{line.longest_seconds:,}"
    if line.lasting:
        left = f"{left}, {words['lasting']}" if left else words["lasting"]
    return [
        words["unknown"] if kept is None else kept.pattern.replace("|", "\\|"),
        "" if kept is None else kept.what[language],
        "" if kept is None else _ABOUT[language][kept.about],
        f"{line.keys:,}",
        f"{line.entries:,}",
        "" if kept is None else kept.ends[language],
        left,
        client.printable(line.example),
    ]


def _json(line: Line, language: Language) -> dict[str, Any]:
    kept = line.kept
    return {
        "pattern": None if kept is None else kept.pattern,
        "what": None if kept is None else kept.what[language],
        "about": None if kept is None else kept.about,
        "ends": None if kept is None else kept.ends[language],
        "keys": line.keys,
        "entries": line.entries,
        "types": sorted(line.types),
        "shortest_seconds": line.shortest_seconds,
        "longest_seconds": line.longest_seconds,
        "lasting": line.lasting,
        "example": line.example,
    }
