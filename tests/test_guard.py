"""Who may come in: this machine's own pages, and whoever has the token."""

import pytest
from starlette.requests import HTTPConnection

from detector.web.guard import Guard


def visit(host: str, query: str = "", origin: str | None = None) -> HTTPConnection:
    headers = {"host": host} | ({"origin": origin} if origin is not None else {})
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": raw, "query_string": query.encode()})


def test_only_this_machine_needs_no_token() -> None:
    assert Guard.of("127.0.0.1").token == Guard.of("localhost").token == ""
    tokens = {Guard.of("0.0.0.0").token for _ in range(10)}
    assert len(tokens) == 10 and min(map(len, tokens)) >= 20


# Each row: who comes to 127.0.0.1, whether he may come in.
LOCAL = [
    (visit("127.0.0.1:8000"), True),
    (visit("localhost:8000", origin="http://localhost:8000"), True),
    (visit("[::1]:8000"), True),
    (visit("127.0.0.1:8000", origin="http://evil.example"), False),
    (visit("127.0.0.1:8000", origin="http://127.0.0.1:9000"), False),
    (visit("127.0.0.1:8000", origin="null"), False),
    (visit("evil.example:8000", origin="http://evil.example:8000"), False),  # DNS rebinding
    (visit(""), False),
    (visit("["), False),
    (visit("[", origin="http://["), False),
    (visit("127.0.0.1:8000", origin="http://["), False),
]


@pytest.mark.parametrize(("visitor", "welcome"), LOCAL)
def test_on_this_machine_pages_of_other_sites_stay_out(
    visitor: HTTPConnection, welcome: bool
) -> None:
    assert (Guard().refusal(visitor) == "") == welcome


REMOTE = [
    (visit("host:8000", "token=right", "http://host:8000"), True),
    (visit("host:8000", "token=right"), True),
    (visit("host:8000", "token=wrong"), False),
    (visit("host:8000", "token=r%C3%AFght"), False),
    (visit("host:8000"), False),
    (visit("127.0.0.1:8000"), False),
    (visit("host:8000", "token=right", "http://evil.example"), False),
    (visit("host:8000", "token=right", "http://["), False),
    (visit("[", "token=right", "http://["), False),
]


@pytest.mark.parametrize(("visitor", "welcome"), REMOTE)
def test_elsewhere_the_token_decides(visitor: HTTPConnection, welcome: bool) -> None:
    assert (Guard("right").refusal(visitor) == "") == welcome
