"""Texts to begin with: some that come with Loa, for days without time to find words, and those of one's own.

What comes with it has gaps in square brackets. They are meant to be seen: a text is not to go out with the river's name
missing, so whoever confirms it is told of those that are left (:func:`gaps`).

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from notifications.announcement import EVERYBODY, Draft, Severity, Text
from notifications.console.words import text

MAX_NAME = 60
# Of a draft; the rest is of one occasion only.
_LASTING = ("severity", "title", "body", "url", "language", "texts", "audience", "expires_in")
_GAP = re.compile(r"\[[^\[\]\n]{1,60}\]")


class Sample(Struct, frozen=True, kw_only=True):
    """A text to begin with.

    Attributes:
        id: In addresses; of one that comes with Loa a word, else 16 hexadecimal digits.
        name: What people call it.
        draft: What it fills the form with; its sites, times and whether it is a test are not kept.
        by: Who kept it; empty for one that comes with Loa.
        at_ms: When.
    """

    id: str
    name: str
    draft: Draft
    by: str = ""
    at_ms: int = 0

    def told(self) -> dict[str, Any]:
        """What the audit trail says of it, by the names that the same has in an announcement."""
        return {"name": self.name, **{name: getattr(self.draft, name) for name in _LASTING}}


def gaps(texts: Iterable[str]) -> list[str]:
    """The gaps that nobody has filled, each once."""
    return [*dict.fromkeys(found[0] for each in texts for found in _GAP.finditer(each))]


def kept(id: str, name: str, draft: Draft, by: str, at_ms: int) -> Sample:
    """A text of one's own, without what is of one occasion only."""
    lasting = Draft(sites=(), **{name: getattr(draft, name) for name in _LASTING})
    return Sample(id=id, name=name, draft=lasting, by=by, at_ms=at_ms)


def _built_in(  # noqa: PLR0917  a line of a table, each of another type
    id: str, name: str, severity: Severity, hours: int, vi: tuple[str, str], en: tuple[str, str]
) -> Sample:
    draft = Draft(
        sites=(),
        severity=severity,
        title=vi[0],
        body=vi[1],
        language="vi",
        texts={"en": Text(title=en[0], body=en[1])},
        audience=EVERYBODY,
        expires_in=hours * 3600,
    )
    return Sample(id=id, name=name, draft=draft)


BUILT_IN = (
    _built_in(
        "flood",
        text("Flood"),
        "emergency",
        12,
        (
            "Lũ trên [sông] lên nhanh, người dân ven sông sơ tán ngay",
            "Mực nước tại [trạm] lúc [giờ] là [mực nước], trên báo động [cấp] và đang lên.\n"
            "Người dân ở [xã, phường] rời khỏi vùng trũng, đến [điểm sơ tán]. Không đi qua chỗ nước chảy xiết.\n"
            "Cần cứu hộ, gọi 112.",
        ),
        (
            "[River] is rising fast: leave the riverbanks now",
            "At [station] the water stood at [level] at [time], above alarm level [number], and is rising.\n"
            "People in [wards] leave low ground and go to [shelter]. Do not walk or drive through flowing water.\n"
            "To be rescued, call 112.",
        ),
    ),
    _built_in(
        "storm",
        text("Storm"),
        "breaking",
        12,
        (
            "Bão [tên, số] dự kiến đổ bộ [nơi] vào [giờ, ngày]",
            "Gió mạnh cấp [cấp], giật cấp [cấp]. Mưa [lượng mưa] tại [nơi].\n"
            "Tàu thuyền vào nơi trú tránh trước [giờ]. Chằng chống nhà cửa, ở trong nhà khi bão vào.\n"
            "Học sinh tại [nơi] nghỉ học [ngày].",
        ),
        (
            "Storm [name, number] expected to make landfall in [place] at [time, date]",
            "Winds of force [force], gusts up to [force]. Rain of [amount] in [place].\n"
            "Boats return to shelter before [time]. Secure your house and stay indoors while the storm passes.\n"
            "Schools in [place] are closed on [date].",
        ),
    ),
    _built_in(
        "power-cut",
        text("Power cut"),
        "notice",
        6,
        (
            "Tạm ngừng cấp điện tại [khu vực] từ [giờ] đến [giờ] ngày [ngày]",
            "Lý do: [lý do]. Điện có thể được cấp lại sớm hơn dự kiến; xin coi lưới điện luôn có điện.\n"
            "Báo sự cố: [số điện thoại].",
        ),
        (
            "No electricity in [area] from [time] to [time] on [date]",
            "Reason: [reason]. Power may return earlier than planned; treat all lines as live.\n"
            "To report a fault: [phone number].",
        ),
    ),
    _built_in(
        "maintenance",
        text("Service maintenance"),
        "info",
        3,
        (
            "Dịch vụ [tên dịch vụ] tạm dừng để bảo trì từ [giờ] đến [giờ] ngày [ngày]",
            "Trong thời gian này không nộp và tra cứu hồ sơ được. Hồ sơ đã nộp không bị ảnh hưởng.",
        ),
        (
            "[Service] is down for maintenance from [time] to [time] on [date]",
            "During this time applications cannot be submitted or looked up. Those already submitted are not affected.",
        ),
    ),
)
