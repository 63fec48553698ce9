"""Reads the Lua scripts that lie beside the code that calls them.

A script is sent with ``redis.register_script(load(...))``: by its digest, and whole only where the server has
forgotten it, as a restarted one has.
"""

from __future__ import annotations

from importlib import resources


def load(package: str, name: str) -> str:
    """The text of ``<package>/lua/<name>.lua``.

    Raises:
        FileNotFoundError: There is no such script.
    """
    return resources.files(package).joinpath("lua", f"{name}.lua").read_text("utf-8")
