"""``loa user``, on both servers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from notifications.people.commands import user
from notifications.people.keys import PeopleKeys
from notifications.people.known import Known
from notifications.people.signin import Origin
from tests.notifications.people.conftest import PASSWORD, added
from tests.notifications.people.test_register import trail
from tests.notifications.test_commands import Terminal

pytestmark = pytest.mark.slow
HERE = Origin("192.0.2.1", "192.0.2.1", "", "")


@pytest.fixture
async def terminal(tmp_path_factory: pytest.TempPathFactory, prefix: str, store_url: str) -> AsyncIterator[Terminal]:
    """A shell on the machine of the service."""
    terminal = Terminal(tmp_path_factory.mktemp("terminal"), prefix)
    terminal.finds("http://127.0.0.1:9", store_url)
    yield terminal


async def test_adds_somebody_who_can_sign_in(terminal: Terminal, people: Known, redis: Redis, prefix: str) -> None:
    options = ("--role", "admin", "--site", "*", "--full-name", "Nguyễn Thị An", "--language", "en", "--password-stdin")
    done = await terminal.run("user", "add", "An", *options, typed=PASSWORD + "\n")
    assert (done.exit_code, done.output) == (0, "an  added, admin on all sites\n")
    entered = await people.sign_in.enter("an", PASSWORD, HERE)
    assert (entered.user.full_name, entered.user.roles, entered.user.language) == (
        "Nguyễn Thị An", {"*": "admin"}, "en",
    )  # fmt: skip
    entry = (await trail(redis, prefix))[0]
    assert (entry.act, entry.owner, entry.id) == ("user.add", "local", "an")


async def test_lists_changes_and_keeps_out(terminal: Terminal, people: Known) -> None:
    await added(people, role="viewer")
    done = await terminal.run("user", "change", "an", "--role", "approver", "--site", "*", "--full-name", "An An")
    assert (done.exit_code, done.output) == (0, "an  is now approver on all sites\n")
    assert (await terminal.run("user", "disable", "an")).exit_code == 0
    listed = (await terminal.run("user", "list")).output
    assert listed.split()[:2] == ["an", "disabled"]
    assert listed.endswith("approver on all sites     An An\n")
    assert (await terminal.run("user", "enable", "an")).exit_code == 0
    assert "enabled" in (await terminal.run("user", "list")).output
    assert (await terminal.run("user", "remove", "an")).exit_code == 0
    assert (await terminal.run("user", "list")).output == ""


async def test_gives_another_password(terminal: Terminal, people: Known) -> None:
    await added(people)
    inside = await people.sign_in.enter("an", PASSWORD, HERE)
    done = await terminal.run("user", "password", "an", "--password-stdin", typed="núi cao biển rộng")
    assert done.exit_code == 0
    assert await people.sessions.find(inside.session) is None
    assert await people.sign_in.enter("an", "núi cao biển rộng", HERE)


async def test_the_last_admin_may_be_disabled_here(terminal: Terminal, people: Known) -> None:
    """Whoever may do this may also make another."""
    await added(people, role="admin")
    assert (await terminal.run("user", "disable", "an")).exit_code == 0


@pytest.mark.parametrize(
    ("line", "typed", "says", "code"),
    [
        (("add", "an", "--role", "editor", "--password-stdin"), PASSWORD, "there is a user 'an' already", 1),
        (("add", "ân", "--role", "editor", "--password-stdin"), PASSWORD, "a name takes 1 to 32", 1),
        (("add", "binh", "--password-stdin"), PASSWORD, "--role is missing", 1),
        (("add", "binh", "--role", "boss"), "", "'boss' is not one of", 2),
        (("add", "binh", "--role", "editor", "--site", "nowhere"), "", "nowhere is no site here", 1),
        (("add", "binh", "--role", "editor", "--password-stdin"), "ngắn", "the password takes at least 12", 1),
        (("add", "binh", "--role", "editor", "--password-stdin"), "", "the password takes at least 12", 1),
        (("add", "binh", "--role", "editor", "--password-stdin"), "x" * 9_999, "the password takes at most 256", 1),
        (("add", "binh", "--role", "editor"), PASSWORD, "give it with --password-stdin", 1),
        (("add", "binh", "--role", "editor", "--full-name", "a\nb"), "", "--full-name takes", 1),
        (("add",), "", "Missing argument 'NAME'", 2),
        (("add", "binh", "--password", PASSWORD), "", "No such option", 2),
        (("change", "an"), "", "nothing to change", 1),
        (("change", "an", "--site", "*"), "", "--role is missing", 1),
        # Never wider than it was said.
        (("change", "an", "--role", "admin"), "", "--site is missing: where? '*' is everywhere", 1),
        (("change", "an", "--no-role", "demo"), "", "has no role on demo", 1),
        (("change", "an", "--no-role", "*"), "", "would have no role left", 1),
        (("change", "nobody", "--full-name", "x"), "", "there is no user 'nobody'", 1),
        (("disable", "nobody"), "", "there is no user 'nobody'", 1),
        (("password", "nobody", "--password-stdin"), PASSWORD, "there is no user 'nobody'", 1),
        (("remove", "x\x1b[31m"), "", "there is no user", 1),
    ],
)
async def test_says_in_one_line_what_is_wrong(
    terminal: Terminal,
    people: Known,
    redis: Redis,
    prefix: str,
    *,
    line: tuple[str, ...],
    typed: str,
    says: str,
    code: int,
) -> None:
    await added(people)
    before = await redis.hgetall(PeopleKeys(prefix).users)
    done = await terminal.run("user", *line, typed=typed)
    assert done.exit_code == code
    assert says in done.output
    assert "\x1b" not in done.output
    assert "Traceback" not in done.output
    assert await redis.hgetall(PeopleKeys(prefix).users) == before


def test_no_command_takes_a_password_as_an_argument() -> None:
    options = {name for command in user.commands.values() for option in command.params for name in option.opts}
    assert {name for name in options if "password" in name} == {"--password-stdin"}
