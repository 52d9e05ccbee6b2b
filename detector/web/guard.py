"""Who may come in: a token where others can reach the server, and never another site's page."""

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Guard:
    """Lets the right visitors in; `token` is empty where only this machine can reach us."""

    token: str = ""

    @staticmethod
    def of(host: str) -> "Guard":
        """No token on this machine alone; a new random one anywhere else."""
        return Guard("" if host in LOOPBACK else secrets.token_urlsafe(16))

    def refusal(self, visit: HTTPConnection) -> str:
        """Why a visitor may not come in; empty if he may.

        Browsers let every page open a WebSocket to anywhere, but say in `Origin` which page it
        is. A page may also give its own name the address 127.0.0.1, so that without a token the
        name by which we were called counts, too.
        """
        place, name = _split(f"//{visit.headers.get('host', '')}")
        if place is None:
            return "wrong host name: use the printed link"
        origin = visit.headers.get("origin")
        if origin is not None and _split(origin)[0] != place:
            return "this page belongs to another site"
        if not self.token:
            return "" if name in LOOPBACK else "wrong host name: use the printed link"
        given = visit.query_params.get("token", "")
        if secrets.compare_digest(given.encode(), self.token.encode()):
            return ""
        return "the token is missing or wrong: use the printed link"


def _split(url: str) -> tuple[str | None, str]:
    """Host with port, and host alone; None instead of the first: this is no URL."""
    try:
        parts = urlsplit(url)
        return parts.netloc, parts.hostname or ""
    except ValueError:
        return None, ""
