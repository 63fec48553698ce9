"""The pages about announcements put together, for the roof."""

from __future__ import annotations

from aiohttp import web

from notifications.console.announcement_list import AnnouncementList
from notifications.console.announcement_page import AnnouncementPage
from notifications.console.confirm_pages import ConfirmPages
from notifications.console.desk import Desk
from notifications.console.previewing import Preview
from notifications.console.sample_pages import SamplePages
from notifications.console.top_pages import TopPages
from notifications.console.writing_pages import WritingPages


def add_routes(app: web.Application, desk: Desk) -> None:
    """Adds them to `app`, and to the navigation."""
    confirm = ConfirmPages(desk)
    # "new" comes before the ids: a path is looked up in this order.
    pages = (
        AnnouncementList(desk),
        WritingPages(desk, confirm),
        confirm,
        AnnouncementPage(desk),
        TopPages(desk),
        SamplePages(desk),
        Preview(desk.shell),
    )
    for each in pages:
        app.add_routes(each.routes())
