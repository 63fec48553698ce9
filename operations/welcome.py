"""What ``loa serve`` says on stdout when it stands: where everything is and, once, how to send a first announcement."""

from __future__ import annotations

import shlex
from importlib.metadata import version

from rich.console import Console
from rich.text import Text

from operations.supervisor import Running


def greet(console: Console, running: Running, *, site: str, loa: str, demo: bool, options: list[str]) -> None:
    """Prints it.

    Args:
        console: Where to; plain text where that is no terminal.
        running: The service.
        site: Id of a site an announcement may go to, empty if there is none.
        loa: How the command is called in this shell.
        demo: Whether there is a demo page.
        options: What was given to find settings and data, and must be given again.
    """
    workers = f"{running.workers} worker{'s' if running.workers != 1 else ''}"
    lines = [f"Loa {version('loa')} is running: {workers}, {running.store}", ""]
    if demo:
        lines.append(f"  Demo page     {running.local_url}/demo/")
    lines.append(f"  Console       {running.local_url}/console/")
    lines.append(f"  API           {running.local_url}/api/docs")
    lines.append(f"  Operations    {running.ops_url}/readyz  {running.ops_url}/metrics")
    if running.token is not None:
        command = [
            loa,
            "announce",
            *options,
            "--site",
            site or "SITE",
            "--severity",
            "breaking",
            "--title",
            "Xin chào!",
        ]
        lines += ["", "  This is the first start. Here is an editor's token; it is not shown again:", ""]
        lines += [f"    {running.token}", ""]
        lines += ["  Send a first announcement with it, from another terminal:", ""]
        lines += [f"    LOA_TOKEN={running.token} {shlex.join(command)}"]
        first = shlex.join([loa, "user", "add", *options, "NAME", "--role", "admin", "--site", "*"])
        lines += ["", "  Make the first user of the console; it asks for a password:", "", f"    {first}"]
    lines += ["", "  Stop with Ctrl-C.", ""]
    for line in lines:
        # As it stands: no markup, no wrapping, so that the command can be copied.
        console.print(Text(line), soft_wrap=True)
