"""What this room keeps in the store, for ``loa privacy``."""

from __future__ import annotations

from collections.abc import Mapping

from store.inventory import Kept, Language

_WITH_LEASES: Mapping[Language, str] = {
    "vi": "khi lượt giữ chỗ hết hạn, mặc định nhiều nhất 30 giây sau khi rời trang",
    "en": "with the leases, by default at most 30 seconds after the reader has left",
}
_NEVER: Mapping[Language, str] = {"vi": "không tự hết", "en": "never by itself"}


def _leases(state: str, vi: str, en: str) -> Kept:
    what: Mapping[Language, str] = {
        "vi": f"bạn đọc {vi}: băm có khóa của một mã ngẫu nhiên, khóa thay mỗi ngày; và thời điểm hết hạn",
        "en": f"readers {en}: a keyed hash of a random id, the key changes daily; and when the lease ends",
    }
    return Kept(f"presence:{{*}}:{state}", what, "pseudonyms", _WITH_LEASES, members=True)


INVENTORY = (
    _leases("reading", "đang đọc", "who read"),
    _leases("idle", "đang mở trang nhưng không thao tác", "who have a page open and do not touch it"),
    _leases("background", "để trang ở nền", "whose page is in the background"),
    _leases("section:*", "của một chuyên mục", "of a section"),
    _leases("page:*", "của một trang", "of a page"),
    Kept(
        "presence:{*}:apart",
        {
            "vi": "số kết nối không tính là bạn đọc (robot, trang chưa được nhìn tới…), mỗi tiến trình một dòng",
            "en": "how many connections are no readers (robots, pages never looked at, …), a line for each worker",
        },
        "numbers",
        {"vi": "30 giây sau lần ghi cuối", "en": "30 seconds after it was last written"},
    ),
    Kept(
        "presence:epoch",
        {
            "vi": "dấu của kho dữ liệu, để biết nó có mất gì không",
            "en": "a mark by which a loss of the store is noticed",
        },
        "nobody",
        _NEVER,
    ),
    Kept(
        "presence:secret",
        {
            "vi": "bí mật để ký mã bạn đọc và tạo khóa băm của từng ngày; phải có nó và mã trong trình duyệt "
            "mới nối được hai thứ",
            "en": "the secret that signs readers' ids and makes the keys of the days; only with it and the id in a "
            "browser can the two be linked",
        },
        "nobody",
        _NEVER,
    ),
    Kept(
        "history:{*}:readers:*",
        {
            "vi": "HyperLogLog của bạn đọc trong một ngày: chỉ đếm được, không lấy lại được ai",
            "en": "HyperLogLog of a day's readers: it can be counted, nobody can be read from it",
        },
        "numbers",
        {"vi": "ba ngày sau", "en": "after three days"},
    ),
    Kept(
        "history:{*}:applied:*",
        {"vi": "số thứ tự lần ghi cuối của một tiến trình", "en": "the number of the last batch of a worker"},
        "nobody",
        {"vi": "bảy ngày sau lần ghi cuối", "en": "seven days after its last batch"},
    ),
    Kept(
        "history:{*}:candidates",
        {
            "vi": "trang có nhiều bạn đọc nhất ở mỗi tiến trình, và số bạn đọc",
            "en": "the pages most read on each worker",
        },
        "numbers",
        {"vi": "sau ít phút", "en": "after some minutes"},
    ),
    Kept(
        "history:{*}:pages:*",
        {"vi": "trang được đọc nhiều nhất ở một phút", "en": "the most read pages at a minute"},
        "numbers",
        {"vi": "sau ít phút", "en": "after some minutes"},
    ),
    Kept(
        "history:{*}:minutes:*",
        {"vi": "số bạn đọc mỗi phút của một ngày", "en": "how many readers there were each minute of a day"},
        "numbers",
        {"vi": "sau 15 ngày", "en": "after 15 days"},
    ),
    Kept(
        "history:{*}:hours:*",
        {"vi": "số bạn đọc mỗi giờ của một tháng", "en": "how many readers there were each hour of a month"},
        "numbers",
        {"vi": "sau hai năm một tháng", "en": "after two years and a month"},
    ),
    Kept(
        "history:{*}:*",
        {
            "vi": "tổng lượt truy cập, lượt xem, kỷ lục, số liệu nhập từ bộ đếm cũ",
            "en": "totals, the record, and what was imported",
        },
        "numbers",
        _NEVER,
    ),
)
