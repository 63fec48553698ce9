from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from notifications.people.crossing import Crossing

HOST = "loa.example.vn"


def refused(public_url: str = "", method: str = "POST", host: str = HOST, **headers: str) -> str:
    sent = {"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Crossing(public_url).refused(make_mocked_request(method, "/console/sign-out", headers=sent))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_changes_nothing_may_come_from_anywhere(method: str) -> None:
    assert refused(method=method, Sec_Fetch_Site="cross-site", Origin="https://evil.example") == ""


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
def test_what_does_not_say_where_it_comes_from_is_refused(method: str) -> None:
    assert refused(method=method)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "same-origin", "Origin": f"https://{HOST}"},
        {"Origin": f"https://{HOST}"},
        {"Origin": f"https://{HOST}:443"},
        {"Origin": f"http://{HOST}:80"},
    ],
)
def test_our_own_pages(headers: dict[str, str]) -> None:
    assert refused(**headers) == ""


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        # A portal beside us on the same domain is another site to us.
        {"Sec_Fetch_Site": "same-site", "Origin": f"https://{HOST}"},
        {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": ""},
        {"Sec_Fetch_Site": "same-origin", "Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": f"https://{HOST}.evil.example"},
        {"Origin": f"https://{HOST}:8443"},
        {"Origin": f"https://{HOST}:port"},
        {"Origin": "https://[::1"},
    ],
)
def test_others_pages(headers: dict[str, str]) -> None:
    assert refused(**headers)


def test_behind_a_proxy_that_names_another_host_the_public_address_counts() -> None:
    headers = {"Sec_Fetch_Site": "same-origin", "Origin": f"https://{HOST}"}
    assert refused(host="127.0.0.1:8080", **headers)
    assert refused(f"https://{HOST}", host="127.0.0.1:8080", **headers) == ""


@pytest.mark.parametrize(
    ("host", "public_url", "headers", "private"),
    [
        ("localhost:8080", "", {}, True),
        ("127.0.0.1:8080", "", {}, True),
        ("[::1]:8080", "", {}, True),
        ("loa.localhost", "", {}, True),
        ("loa.example.vn", "", {}, False),
        ("10.0.0.5:8080", "", {}, False),
        ("localhost.example.vn", "", {}, False),
        ("loa.example.vn", "http://loa.example.vn", {}, False),
        ("loa.example.vn", "https://loa.example.vn", {}, True),
        ("loa.example.vn", "", {"Sec-Fetch-Site": "none"}, True),
    ],
)
def test_where_a_browser_keeps_our_cookies(host: str, public_url: str, headers: dict[str, str], private: bool) -> None:
    request = make_mocked_request("GET", "/console/sign-in", headers={"Host": host, **headers})
    assert Crossing(public_url).is_private(request) is private


@pytest.mark.parametrize("host", ["[", "[::1", "a:b", "localhost:99999"])
def test_a_host_that_is_none_is_not_this_machine(host: str) -> None:
    asked = make_mocked_request("GET", "/console/sign-in", headers={"Host": host})
    assert Crossing("").is_private(asked) is False
