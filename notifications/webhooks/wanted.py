"""From a decoded JSON document to the webhook or hook somebody wants; every wrong field is named, not only the first.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple, cast

from notifications.announcement import MAX_URL
from notifications.fields import Fields
from notifications.webhooks.webhook import EVENTS, THENS, Event, Then, wrong_url

WEBHOOK_FIELDS = ("url", "sites", "events", "tests")
HOOK_FIELDS = ("name", "sites", "then")
MOST_NAME = 40
NAME = re.compile(rf"[a-z0-9](?:[a-z0-9-]{{0,{MOST_NAME - 2}}}[a-z0-9])?", re.ASCII)
_EVENT = re.compile("|".join(re.escape(event) for event in EVENTS))


class WantedWebhook(NamedTuple):
    """See :class:`~notifications.webhooks.webhook.Webhook`."""

    url: str
    sites: tuple[str, ...]
    events: tuple[Event, ...]
    tests: bool


class WantedHook(NamedTuple):
    """See :class:`~notifications.webhooks.webhook.Hook`."""

    name: str
    sites: tuple[str, ...]
    then: Then


def webhook(document: object, sites: Collection[str], *, private: bool) -> WantedWebhook:
    """The webhook that is wanted.

    Args:
        document: As it came.
        sites: Of the deployment.
        private: See :func:`~notifications.webhooks.webhook.wrong_url`.

    Raises:
        Invalid: With all that is wrong.
    """
    fields = Fields(document, WEBHOOK_FIELDS, required=("url", "events"))
    url = fields.text("url", MAX_URL)
    if isinstance(url, str) and (why := wrong_url(url, private=private)):
        fields.refuse("url", why)
    named = fields.sites(sites)
    events = fields.names("events", _EVENT, len(EVENTS), f"one of {', '.join(EVENTS)}")
    if fields.has("events") and not events and not fields.wrong:
        fields.refuse("events", f"must name at least one of {', '.join(EVENTS)}")
    tests = fields.flag("tests")
    fields.finish()
    # What is wrong or missing has raised by now.
    found = named if isinstance(named, tuple) else ()
    return WantedWebhook(cast("str", url), found, cast("tuple[Event, ...]", events), tests)


def hook(document: object, sites: Collection[str]) -> WantedHook:
    """The hook that is wanted.

    Raises:
        Invalid: With all that is wrong.
    """
    fields = Fields(document, HOOK_FIELDS, required=HOOK_FIELDS)
    name = fields.text("name", MOST_NAME)
    if isinstance(name, str) and NAME.fullmatch(name) is None:
        fields.refuse("name", "takes lower-case letters, digits and dashes, and no dash at either end")
    named = fields.sites(sites)
    then = fields.choice("then", THENS)
    fields.finish()
    return WantedHook(cast("str", name), cast("tuple[str, ...]", named), cast("Then", then))
