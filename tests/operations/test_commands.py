"""``loa serve`` as a person at a terminal meets it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from store import layout, runfile

pytestmark = pytest.mark.slow

LOA = Path(sys.executable).with_name("loa")
START_SECONDS = 90


def environment(**changes: str) -> dict[str, str]:
    """Ours, without what would configure Loa."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LOA_")} | changes


class Terminal:
    """A running ``loa serve`` and what it has said on stdout."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said = ""

    def read_until(self, text: str) -> str:
        """Reads on until a line with `text` has come."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if text in line:
                break
        return self.said

    def address(self, name: str) -> str:
        found = re.search(rf"^  {name} +(\S+)", self.said, re.MULTILINE)
        assert found is not None, self.said
        return found[1]


def command_line(data_dir: Path) -> list[str]:
    """``loa serve`` on free ports."""
    command = [str(LOA), "serve", "--host", "127.0.0.1", "--port", "0", "--ops-port", "0", "--workers", "1"]
    return [*command, "--data-dir", str(data_dir)]


def loa(*words: str) -> str:
    """What a command of ours that succeeds says."""
    return subprocess.run(
        [LOA, *words], check=True, capture_output=True, text=True, timeout=START_SECONDS, env=environment()
    ).stdout


@contextlib.contextmanager
def serve(data_dir: Path, cwd: Path | None = None) -> Iterator[Terminal]:
    process = subprocess.Popen(
        command_line(data_dir), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment(), cwd=cwd
    )
    try:
        yield Terminal(process)
    finally:
        process.kill()
        process.communicate()


def refused(
    *options: str, prepare: Callable[[], None] | None = None, changes: dict[str, str] | None = None
) -> tuple[int, str]:
    done = subprocess.run(
        [LOA, "serve", *options],
        check=False,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        env=environment(**changes or {}),
        preexec_fn=prepare,
    )
    return done.returncode, done.stderr


def await_ready(address: str) -> None:
    """Waits until /readyz says so: a worker that is busy for a second is not, for that second."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(address) as answer:  # noqa: S310
            assert json.load(answer)["status"] == "ready"
            return
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_from_the_first_start_to_the_first_announcement(tmp_path: Path) -> None:
    with serve(tmp_path / "data") as terminal:
        terminal.read_until("Stop with Ctrl-C")
        await_ready(terminal.address("Operations"))
        for name in ("Demo page", "API"):
            with urllib.request.urlopen(terminal.address(name)) as answer:  # noqa: S310
                assert answer.status == 200
        (command,) = [line.strip() for line in terminal.said.splitlines() if " announce " in line]
        # Exactly as a person pastes it.
        announced = subprocess.run(  # noqa: S602
            command, shell=True, check=False, capture_output=True, text=True, env=environment()
        )
        assert announced.returncode == 0, announced.stderr
        token = shlex.split(command)[0].partition("=")[2]
        assert re.fullmatch(r"loa_\w+", token)
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(timeout=START_SECONDS) == 0
    with serve(tmp_path / "data") as terminal:
        assert "token" not in terminal.read_until("Stop with Ctrl-C")


def test_what_lies_in_the_working_directory_does_not_take_our_place(tmp_path: Path) -> None:
    for name in ("server.py", "operations.py"):
        (tmp_path / name).write_text("raise SystemExit(3)")
    with serve(tmp_path / "data", cwd=tmp_path) as terminal:
        assert "is running: 1 worker" in terminal.read_until("Stop with Ctrl-C")


def test_too_few_descriptors_are_one_line(tmp_path: Path) -> None:
    status, said = refused(
        "--data-dir", str(tmp_path), prepare=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
    )
    assert status == 1
    assert said == (
        "loa: only 512 files may be open in a process, gateway.sessions_per_worker and gateway.other_connections "
        "need 17200; raise the limit (ulimit -Hn, LimitNOFILE=) or lower the settings\n"
    )


@pytest.mark.parametrize(
    ("variable", "value", "status", "said"),
    [
        ("LOA_SERVER_PORT", "many", 1, "loa: environment: LOA_SERVER_PORT: 'many' is not a TOML value\n"),
        ("LOA_REDIS_URL", "mysql://a", 1, "url must begin with redis://, rediss:// or unix://\n"),
        (
            "LOA_REDIS_URL",
            "redis://h/0?foo=bar",
            1,
            "url: after its ? there may be db, password, username; write a ? in ",
        ),
        ("LOA_REDIS_URL", "redis://h/0?socket_timeout=abc", 1, "url: after its ? there may be db, password, username;"),
        ("LOA_REDIS_URL", "redis://h/0?db=x", 1, "url: db is the number of a database\n"),
        (
            "LOA_REDIS_URL",
            "redis://:pa#ss@host",
            1,
            "redis: url: is not an address such as redis://host:6379/0; write ",
        ),
        (
            "LOA_SERVER_HOST",
            "foo..bar",
            1,
            "loa: port 0 of foo..bar cannot be listened on (it is no name); name an ",
        ),
        (
            "LOA_OPERATIONS_HOST",
            "a" * 64,
            1,
            "cannot be listened on (it is no name); name an address of this machine\n",
        ),
        ("LOA_OPERATIONS_PROT", "1", 1, "loa: environment: LOA_OPERATIONS_PROT: no such setting: 'prot' is none of "),
    ],
)
def test_a_wrong_setting_is_one_line(tmp_path: Path, variable: str, value: str, status: int, said: str) -> None:
    found = refused("--data-dir", str(tmp_path), "--port", "0", changes={variable: value})
    assert found[0] == status
    assert said in found[1]
    assert found[1].count("\n") == 1


@pytest.mark.parametrize("used", [False, True])
async def test_a_user_who_may_not_write_is_one_line(
    tmp_path: Path, valkey: Redis, valkey_url: str, prefix: str, used: bool
) -> None:
    """The first to write is whoever notes the layout of the keys, and where that is noted, a worker."""
    await valkey.acl_setuser(prefix, enabled=True, passwords=["+geheim"], commands=["+@all", "-set"], keys=["*"])
    if used:
        await valkey.set(layout.key(prefix), layout.LAYOUT)
    redis = {
        "LOA_REDIS_URL": valkey_url,
        "LOA_REDIS_PREFIX": prefix,
        "LOA_REDIS_USERNAME": prefix,
        "LOA_REDIS_PASSWORD": "geheim",
    }
    ports = ("--host", "127.0.0.1", "--port", "0", "--ops-port", "0", "--workers", "1")
    try:
        found = await asyncio.to_thread(refused, "--data-dir", str(tmp_path), *ports, changes=redis)
    finally:
        await valkey.acl_deluser(prefix)
    when = "worker 0 did not start: the store failed" if used else "the store failed while Loa started"
    assert found == (1, f"loa: {when}: User {prefix} has no permissions to run the 'set' command\n")


@pytest.mark.parametrize("where", ["/dev/full", "pipe"])
def test_a_first_token_that_could_not_be_shown_is_shown_at_the_next_start(tmp_path: Path, where: str) -> None:
    if where == "pipe":
        reader, stdout = os.pipe()
        os.close(reader)
    else:
        stdout = os.open(where, os.O_WRONLY)
    try:
        unread = subprocess.run(
            command_line(tmp_path),
            check=False,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=START_SECONDS,
            env=environment(LOA_OPERATIONS_LOG_LEVEL="error"),
        )
    finally:
        os.close(stdout)
    assert unread.returncode == 1
    assert re.fullmatch(r"loa: stdout cannot be written to: .*; send it to a file, or to /dev/null\n", unread.stderr)
    with serve(tmp_path) as terminal:
        assert "Here is an editor's token" in terminal.read_until("Stop with Ctrl-C")
        listed = loa("token", "list", "--data-dir", str(tmp_path))
        assert listed.count("first start") == 1


def test_it_runs_with_its_streams_closed_and_makes_no_token_that_nobody_would_see(tmp_path: Path) -> None:
    process = subprocess.Popen(
        ["sh", "-c", 'exec "$@" <&- >&-', "sh", *command_line(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while (running := runfile.read(tmp_path)) is None:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        await_ready(f"{running.ops_url}/readyz")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=START_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "Assertion" not in said
    with serve(tmp_path) as terminal:
        assert "Here is an editor's token" in terminal.read_until("Stop with Ctrl-C")


def test_half_a_certificate_and_one_that_is_not_there(tmp_path: Path) -> None:
    half = {"LOA_SERVER_CERTIFICATE": str(tmp_path / "c.pem")}
    status, said = refused("--data-dir", str(tmp_path), changes=half)
    assert (status, "certificate and private_key go together" in said) == (1, True)
    absent = {**half, "LOA_SERVER_PRIVATE_KEY": str(tmp_path / "k.pem")}
    assert refused("--data-dir", str(tmp_path), changes=absent) == (
        1,
        f"loa: certificate {tmp_path}/c.pem: No such file or directory; "
        "see server.certificate and server.private_key\n",
    )


def test_top_shows_the_node_once_as_text_and_as_json(tmp_path: Path) -> None:
    with serve(tmp_path) as terminal:
        terminal.read_until("Stop with Ctrl-C")
        await_ready(terminal.address("Operations"))
        deadline = time.monotonic() + START_SECONDS
        while True:
            # The very first look may be under way still.
            with contextlib.suppress(subprocess.CalledProcessError):
                text = loa("top", "--once", "--data-dir", str(tmp_path))
                break
            assert time.monotonic() < deadline
        for part in ("Loa ", "readers by site", "demo 0", "Loa started", "loop lateness"):
            assert part in text
        node = json.loads(loa("top", "--json", "--data-dir", str(tmp_path)))
        assert [worker["index"] for worker in node["now"]["workers"]] == [0]
        wrong = [
            "top",
            "--once",
            "--data-dir",
            str(tmp_path),
            "--ops-url",
            terminal.address("API").partition("/api")[0],
        ]
        done = subprocess.run([LOA, *wrong], capture_output=True, text=True, check=False, env=environment())
        assert done.returncode == 1
        assert done.stderr.startswith("loa: http://127.0.0.1:")
        assert "is it the ops listener" in done.stderr
    done = subprocess.run(
        [LOA, "top", "--data-dir", str(tmp_path)], capture_output=True, text=True, check=False, env=environment()
    )
    assert (done.returncode, "no service runs on" in done.stderr) == (1, True)
