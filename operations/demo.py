"""``/demo/``: a portal page with the widget in it, to see the service at work before any portal embeds it.

A news page of an invented province, in Vietnamese and, with ``?lang=en``, in English. It embeds the widget the way a
portal does, and sends a content security policy as strict as a careful portal's: what works here works there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources
from zoneinfo import ZoneInfo

import aiohttp_jinja2
import jinja2
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from babel.dates import format_date

from gateway.templates import options

TEMPLATES: web.AppKey[jinja2.Environment] = web.AppKey("demo_templates", jinja2.Environment)

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
"""For a widget from another host a portal adds that host to ``script-src``, and as ``wss://…`` to ``connect-src``."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Story:
    """An article; its text is ``templates/demo.<slug>.<language>.html``.

    Attributes:
        slug: Its name in the address.
        section: Where on the portal it stands, as the widget is told.
        published: When it is said to have appeared.
    """

    slug: str
    section: str
    published: date


STORIES = (
    Story("nuoc-song-ngan-len", "phong-chong-thien-tai", date(2026, 11, 23)),
    Story("lich-tiep-cong-dan-thang-12", "chinh-quyen", date(2026, 11, 22)),
    Story("vu-quyt-khe-may", "kinh-te", date(2026, 11, 20)),
    Story("huong-dan-nop-ho-so-truc-tuyen", "dich-vu-cong", date(2026, 11, 18)),
)

_STATIC = {
    "demo.css": "text/css",
    "demo-emblem.svg": "image/svg+xml",
    "demo-river.svg": "image/svg+xml",
}
_WORDS: Mapping[str, Mapping[str, str]] = {
    "vi": {
        "portal": "Cổng thông tin điện tử tỉnh Thạch Vân",
        "kind": "Cổng thông tin điện tử",
        "province": "Tỉnh Thạch Vân",
        "skip": "Đến nội dung chính",
        "sections": "Chuyên mục",
        "source": "Ban Biên tập",
        "aside": "Tin liên quan và thống kê",
        "related": "Tin liên quan",
        "visits": "Thống kê truy cập",
        "owner": "Cơ quan chủ quản: Ủy ban nhân dân tỉnh Thạch Vân",
        "invented": "Trang minh họa của Loa. Tỉnh Thạch Vân cùng mọi cơ quan, con số và tin tức ở đây đều là hư cấu.",
    },
    "en": {
        "portal": "Thạch Vân Province Portal",
        "kind": "Official portal",
        "province": "Thạch Vân Province",
        "skip": "Skip to content",
        "sections": "Sections",
        "source": "Editorial board",
        "aside": "Related news and statistics",
        "related": "Related news",
        "visits": "Visitors",
        "owner": "Published by the People's Committee of Thạch Vân Province",
        "invented": "A demonstration page of Loa. Thạch Vân, its offices, figures and news are all invented.",
    },
}
_LONG_DATE = {"vi": "EEEE, d/M/y", "en": "EEEE, d MMMM y"}
_SHORT_DATE = {"vi": "d/M/y", "en": "d MMMM y"}


def install(
    app: web.Application, site: str, timezone: str, clock: Callable[[ZoneInfo], datetime] = datetime.now
) -> None:
    """Adds the demo portal to `app`.

    Args:
        app: The application that also serves the widget.
        site: Id of the site its readers are counted for.
        timezone: Where it is said to lie, an IANA name; the masthead bears that day's date.
        clock: The time in a time zone.
    """
    zone = ZoneInfo(timezone)
    templates = aiohttp_jinja2.setup(
        app,
        app_key=TEMPLATES,
        **options("operations"),
    )
    stories = {story.slug: story for story in STORIES}

    async def page(request: web.Request) -> web.Response:
        story = stories.get(request.match_info.get("slug", STORIES[0].slug))
        if story is None:
            raise web.HTTPNotFound
        language = "en" if request.query.get("lang") == "en" else "vi"

        def text_of(each: Story) -> object:
            # A template's module holds what it sets: the title, the section, and the body as a macro.
            return templates.get_template(f"demo.{each.slug}.{language}.html").module

        context = {
            "site": site,
            "language": language,
            "query": "" if language == "vi" else f"?lang={language}",
            "words": _WORDS[language],
            "today": format_date(clock(zone), _LONG_DATE[language], locale=language),
            "shortly": lambda day: format_date(day, _SHORT_DATE[language], locale=language),
            "story": story,
            "stories": STORIES,
            "text": text_of(story),
            "text_of": text_of,
        }
        answer = aiohttp_jinja2.render_template("demo.html", request, context, app_key=TEMPLATES)
        answer.headers.update(_HEADERS)
        # Asked for again at each visit, yet kept whole for the back button.
        answer.headers[hdrs.CACHE_CONTROL] = "no-cache"
        return answer

    async def to_page(request: web.Request) -> web.Response:
        raise web.HTTPPermanentRedirect("/demo/")

    app.router.add_get("/demo", to_page)
    app.router.add_get("/demo/", page)
    app.router.add_get("/demo/{slug}", page)
    for name, kind in _STATIC.items():
        app.router.add_get(f"/demo/static/{name}", _asset(name, kind))


def _asset(name: str, kind: str) -> Handler:
    body = resources.files("operations").joinpath("static", name).read_bytes()

    async def answer(request: web.Request) -> web.Response:
        return web.Response(
            body=body, content_type=kind, charset="utf-8", headers={**_HEADERS, hdrs.CACHE_CONTROL: "max-age=300"}
        )

    return answer
