"""Log lines: one event each, on stderr, for people or for machines.

The rooms log through structlog, libraries through the standard library; both come out alike. What is secret does not
come out: values under a telling name, and passwords within addresses, are masked wherever they stand.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, Literal

import structlog
import structlog.tracebacks
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "•••"
_SECRET_NAMES = re.compile(r"password|passwd|secret|token|authorization|cookie|visitor|private_key", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"(?P<before>[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)", re.IGNORECASE)
# They say at INFO what we say ourselves, or what nobody asked for.
_QUIET = ("aiohttp.access", "asyncio", "redis")

# Without the values of local variables: tokens and secrets are among them.
_TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


def configure(form: Literal["console", "json"], level: str, **always: object) -> None:
    """Sets up logging of this process, once, before anything logs.

    Args:
        form: ``console`` or ``json``.
        level: The least that comes out, ``info``.
        always: What stands on every line, such as ``worker=3``.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _Always(always),
        mask_secrets,
    ]
    last: list[Processor]
    if form == "json":
        last = [_TRACEBACKS, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        last = [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
            )
        ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    set_level(level)


def set_level(level: str) -> None:
    """The least that comes out from now on, ``info``."""
    root = logging.getLogger()
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Masks the values of members with a telling name, and passwords within addresses."""
    for name, value in event.items():
        if _SECRET_NAMES.search(name) and value:
            event[name] = MASK
        elif isinstance(value, str) and "@" in value:
            event[name] = _PASSWORD_IN_URL.sub(rf"\g<before>{MASK}", value)
    return event


class _Always:
    """Adds the same members to every line."""

    def __init__(self, members: dict[str, object]) -> None:
        self._members = members

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        merged: dict[str, Any] = {**self._members, **event}
        return merged
