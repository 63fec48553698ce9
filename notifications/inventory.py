"""What this room keeps in the store, for ``loa privacy``."""

from __future__ import annotations

from collections.abc import Mapping

from store.inventory import Kept, Language

_NEVER: Mapping[Language, str] = {"vi": "không tự hết", "en": "never by itself"}

INVENTORY = (
    Kept(
        "{announcements}:audit",
        {
            "vi": "nhật ký: ai (tên của token), địa chỉ mạng, lúc nào, làm gì với thông báo nào",
            "en": "the audit trail: who (the token's name), from which address, when, what was done to what",
        },
        "editors",
        _NEVER,
    ),
    Kept(
        "{announcements}:once:*",
        {
            "vi": "yêu cầu đã thực hiện, để không làm hai lần",
            "en": "requests that were carried out, so as not to do it twice",
        },
        "nobody",
        {
            "vi": "sau 24 giờ (notifications.idempotency_hours)",
            "en": "after 24 hours (notifications.idempotency_hours)",
        },
    ),
    Kept(
        "{announcements}:cap:*",
        {
            "vi": "tin CAP đã nhận: ai gửi (token), thành thông báo nào",
            "en": "CAP messages that came: who sent them (the token), which announcement they became",
        },
        "editors",
        {
            "vi": "sau hai lần notifications.max_expiry_days, 60 ngày",
            "en": "after twice notifications.max_expiry_days, 60 days",
        },
    ),
    Kept(
        "{announcements}:webhooks:*",
        {
            "vi": "webhook: địa chỉ, bí mật để ký, và những gì đang chờ gửi; không có gì về bạn đọc",
            "en": "webhooks: addresses, secrets to sign with, and what waits to be delivered; nothing of readers",
        },
        "nobody",
        {
            "vi": "khi bị gỡ; những gì đang chờ: khi đã gửi được, hoặc khoảng một ngày",
            "en": "when removed; what waits: when it is delivered, or after about a day",
        },
    ),
    Kept(
        "{announcements}:reach:*",
        {
            "vi": "mỗi thông báo đến được bao nhiêu trang và bạn đọc: chỉ là số và HyperLogLog, không chỉ ra ai",
            "en": "how many pages and readers each announcement reached: numbers, and HyperLogLogs that name nobody",
        },
        "numbers",
        {
            "vi": "90 ngày sau khi thông báo hết hạn (notifications.reach_days)",
            "en": "90 days after the announcement's end (notifications.reach_days)",
        },
    ),
    Kept(
        "{announcements}:canary:*",
        {
            "vi": "tin thử của từng tiến trình, mỗi giây một số; không có gì về ai",
            "en": "each worker's canary, a number a second; nothing of anybody",
        },
        "nobody",
        {"vi": "sau một phút", "en": "after a minute"},
    ),
    Kept(
        "{announcements}:*",
        {
            "vi": "thông báo và lịch sử của chúng; không có gì về bạn đọc",
            "en": "announcements and their history; nothing of readers",
        },
        "nobody",
        _NEVER,
    ),
    Kept(
        "{people}:users",
        {
            "vi": "người dùng của bảng điều khiển: tên, họ tên, vai trò, ngôn ngữ",
            "en": "people who use the console: name, full name, roles, language",
        },
        "editors",
        {"vi": "khi bị xóa (loa user remove)", "en": "when removed (loa user remove)"},
    ),
    Kept(
        "{people}:passwords",
        {"vi": "mật khẩu của họ, băm bằng Argon2id", "en": "their passwords, hashed by Argon2id"},
        "editors",
        {"vi": "khi bị xóa (loa user remove)", "en": "when removed (loa user remove)"},
    ),
    Kept(
        "{people}:session:*",
        {
            "vi": "phiên đăng nhập (băm): ai, từ lúc nào, địa chỉ mạng, tên trình duyệt",
            "en": "who is signed in (hashed): who, since when, from which address, with which browser",
        },
        "editors",
        {
            "vi": "khi đăng xuất, không dùng (notifications.session_idle_minutes) hoặc hết hạn (session_hours)",
            "en": "at sign-out, when unused (notifications.session_idle_minutes), or in the end (session_hours)",
        },
    ),
    Kept(
        "{people}:sessions:*",
        {"vi": "danh sách phiên (băm) của mỗi người", "en": "which sessions (hashed) each of them has"},
        "editors",
        {"vi": "cùng các phiên", "en": "with the sessions"},
    ),
    Kept(
        "{people}:devices:*",
        {
            "vi": "trình duyệt (băm) đã từng đăng nhập, để không ai khóa được chủ của nó",
            "en": "browsers (hashed) that have signed in before, so that nobody can lock their owners out",
        },
        "editors",
        {"vi": "180 ngày sau lần đăng nhập cuối", "en": "180 days after the last sign-in"},
    ),
    Kept(
        "{people}:tries:*",
        {
            "vi": "số lần đăng nhập sai gần đây, theo băm của địa chỉ và tên",
            "en": "how often sign-ins failed of late, by a hash of address and name",
        },
        "editors",
        {"vi": "sau một giờ", "en": "after an hour"},
    ),
    Kept(
        "{tokens}:*",
        {
            "vi": "token: tên, vai trò, trang, băm của bí mật, lần dùng cuối",
            "en": "tokens: a name, role and sites, a hash of the secret, when last used",
        },
        "editors",
        {
            "vi": "khi bị thu hồi; token của dòng lệnh sau hai phút",
            "en": "when revoked; those of a command line after two minutes",
        },
    ),
    Kept(
        "{samples}:*",
        {
            "vi": "mẫu thông báo của biên tập viên, và tên người lưu",
            "en": "editors' texts to begin with, and the name of who kept each",
        },
        "editors",
        {"vi": "khi bị xóa", "en": "when removed"},
    ),
)
