"""Web sessions: the two cookies, and the token against requests forged by other sites.

1. Each product has cookies of its own, sent to its own paths only.
2. The token that a change must show is made from the session's: it needs no place to be kept, and
   another site can read neither.
"""

import hmac
from base64 import urlsafe_b64encode
from email.utils import formatdate
from hashlib import sha256
from typing import Final

__all__ = ["CSRF_HEADER", "cleared", "csrf_token", "session_of", "started"]

CSRF_HEADER: Final = "X-CSRF-Token"
SESSION_SECONDS: Final = 14 * 24 * 3600

Header = tuple[bytes, bytes]


def csrf_token(session: str) -> str:
    """What a change within a session must show: HMAC-SHA-256 in base64url, without padding."""
    digest = hmac.new(session.encode(), b"csrf", sha256).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def session_of(product: str, cookies: bytes) -> str:
    """The session token in a Cookie header (RFC 6265, 4.2); empty where it holds none."""
    wanted = f"{product}_sessionid=".encode()
    for part in cookies.split(b";"):
        found = part.strip()
        if found.startswith(wanted):
            return found[len(wanted) :].strip(b'"').decode("latin-1")
    return ""


def started(product: str, session: str, now: float, secure: bool) -> list[Header]:
    """The headers that begin a session at `now`, in Unix seconds."""
    until = f"expires={formatdate(now + SESSION_SECONDS, usegmt=True)}; Max-Age={SESSION_SECONDS}"
    return _cookies(product, session, csrf_token(session), until, secure)


def cleared(product: str, secure: bool) -> list[Header]:
    """The headers that make a browser forget its session."""
    return _cookies(product, "", "", f"expires={formatdate(0, usegmt=True)}; Max-Age=0", secure)


def _cookies(product: str, session: str, csrf: str, until: str, secure: bool) -> list[Header]:
    rest = f"{until}; Path=/{product}; SameSite=Lax" + ("; Secure" if secure else "")
    return [
        (b"set-cookie", f"{product}_sessionid={session}; HttpOnly; {rest}".encode()),
        (b"set-cookie", f"{product}_csrftoken={csrf}; {rest}".encode()),
    ]
