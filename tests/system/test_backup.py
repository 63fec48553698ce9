"""``loa backup`` of a service in use, and ``loa restore`` into an empty one, as an operator does it."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import aiohttp
from yarl import URL

from tests.service import Service

PASSWORD = "dòng sông mùa thu"


def files_in(directory: Path) -> list[str]:
    """No draft is left beside."""
    return [path.name for path in directory.iterdir() if path.is_file()]


async def signed_in(service: Service) -> int:
    """Signs in to the console as ``an``; the status of the page that comes of it."""
    # As browsers do, which trust a loopback address with cookies that are for TLS alone.
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=URL(service.url))
    headers = {"Origin": service.url, "Sec-Fetch-Site": "same-origin"}
    async with aiohttp.ClientSession(cookie_jar=jar, headers=headers) as browser:
        data = {"next": "", "name": "an", "password": PASSWORD}
        async with browser.post(f"{service.url}/console/sign-in", data=data) as answer:
            page = await answer.text()
            assert "Nguyễn An" in page, page
            return answer.status


async def test_an_installation_is_moved(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    file = tmp_path / "loa.backup"
    with Service(tmp_path / "old", 0) as old:
        first = await old.publish("demo", title="Một")
        await old.update(first, title="Một, sửa")
        second = await old.publish("demo", title="Hai")
        await old.recall(second)
        added = ("add", "an", "--role", "admin", "--full-name", "Nguyễn An", "--password-stdin")
        said = await old.loa("user", *added, typed=PASSWORD)
        assert said.code == 0, said.errors
        shown, recalled = await old.shown(first), await old.shown(second)

        said = await old.loa("backup", str(file))
        assert said.code == 0, said.errors
        assert said.errors == "", "there was something that nobody has decided on"
        assert "people: 2 keys" in said.output
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert files_in(tmp_path) == ["loa.backup"]

        refused = await old.loa("restore", str(file))
        assert refused.code == 1
        assert re.search(r"^loa: data directory \S+ is in use by process \d+; stop it", refused.errors, re.MULTILINE)
        trail = (await old.loa("audit", "verify")).output.splitlines()[-1]

    new = Service(tmp_path / "new", 0)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(file.read_bytes()[:-1])
    said = await new.loa("restore", str(damaged))
    assert said.code == 1
    assert said.errors.count("\n") == 1
    assert "nothing was restored" in said.errors
    assert not (tmp_path / "new" / "data").exists()

    said = await new.loa("restore", str(file))
    assert said.code == 0, said.errors
    said = await new.loa("restore", str(file))
    assert said.code == 1
    assert "the store is not empty" in said.errors
    said = await new.loa("restore", str(file), "--replace")
    assert said.code == 1
    assert "nobody is there to answer, and nothing was restored; --yes answers" in said.errors
    said = await new.loa("restore", str(file), "--replace", "--yes")
    assert said.code == 0, said.errors

    new.take_token_of(old)
    with new:
        assert (await new.shown(first))["title"] == shown["title"]
        assert (await new.shown(second))["status"] == recalled["status"] == "recalled"
        said = await new.loa("audit", "verify", "--known", trail)
        assert said.code == 0, said.errors
        assert "store.restore" in (await new.loa("audit", "list")).output
        assert await signed_in(new) == 200
        await new.publish("demo", title="Ba")
        said = await new.loa("privacy", "--format", "json", "--lang", "en")
        assert '"pattern": null' not in said.output


async def test_with_nothing_there_it_says_so(tmp_path: Path) -> None:
    service = Service(tmp_path, 0)
    said = await service.loa("backup", str(tmp_path / "file"))
    assert (said.code, said.output) == (1, "")
    assert said.errors.startswith("loa: there is nothing to back up")
    assert not (tmp_path / "file").exists()
    said = await service.loa("backup", str(tmp_path / "config.toml"))
    assert said.code == 1
    assert "is there and is no backup" in said.errors
