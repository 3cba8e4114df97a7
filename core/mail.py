"""Mail about passwords: how one is made and handed to a server (RFC 5321, RFC 5322).

Invariants:
1. Each step of an attempt is bounded. What fails is tried again after a pause; pauses double from
   MAIL_PAUSE_SECONDS to MAIL_PAUSE_SECONDS_MAX, and are forgotten at a restart.
2. What becomes of a mail is a line in the log and is counted, each time.
3. No text of a setting or of an administrator ends a header or begins another: an address is of
   plain printable characters, a subject is one line.
4. A link, and so the token in it, stands in no log line.
"""

import logging
import re
import ssl
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import aiosmtplib

from ..v1.settings_pb2 import EmailSettings, MailText
from .errors import CallscreenError
from .limits import (
    MAIL_PAUSE_SECONDS,
    MAIL_PAUSE_SECONDS_MAX,
    MAIL_SECONDS,
    MAIL_TAKING_SECONDS,
)

ADDRESS: Final = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])", re.A)
PLAIN_PORT: Final = 25
STARTTLS_PORT: Final = 587
TLS_PORT: Final = 465  # where TLS begins with the connection (RFC 8314)
EXPECTED: Final = (aiosmtplib.SMTPException, OSError, CallscreenError)  # of an attempt
DOUBLINGS: Final = 16  # beyond which a pause is the longest anyhow

Row = tuple[bytes, bytes]  # what waits in the private table: its key and value

log = logging.getLogger("callscreen.core")


class Outcome(StrEnum):
    """What becomes of a mail. All but RETRIED end it."""

    SENT = "sent"
    RETRIED = "retried"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    NO_ROOM = "no_room"


LINES: Final = {
    Outcome.SENT: "is sent",
    Outcome.RETRIED: "is tried again",
    Outcome.REFUSED: "is given up: the server refuses it",
    Outcome.EXPIRED: "is given up: the time of its token is over",
    Outcome.WITHDRAWN: "is given up: mail is off, the address gone, or its token void",
    Outcome.NO_ROOM: "is not kept: too many wait",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail: by which server, to which address, what it says, and the link it ends with."""

    server: EmailSettings
    to: str
    text: MailText
    link: str
    id: str  # the same each time that it is sent


class Mailer:
    """Sends letters, and remembers what fails. `context` (of TLS) is to be replaced in tests."""

    def __init__(self, public_url: str, context: ssl.SSLContext | None = None) -> None:
        self._url = public_url.rstrip("/")
        self._host = host_of(public_url)
        self._context = context
        self._rests: dict[Row, tuple[int, float]] = {}  # failures, and until when
        self.settled: set[Row] = set()  # what is told of already, and only to be removed
        self.outcomes: Counter[Outcome] = Counter()  # since the start

    def link(self, product: str, token: str) -> str:
        """Where a token sets a password; what follows # is sent to no server."""
        return f"{self._url}/{product}/password#{token}"

    def tell(self, outcome: Outcome, about: str, detail: str = "") -> None:
        """Counts what became of a mail, and logs it."""
        self.outcomes[outcome] += 1
        level = logging.INFO if outcome is Outcome.SENT else logging.WARNING
        log.log(level, "mail to %s %s%s", about, LINES[outcome], detail)

    def rests(self, row: Row, now: float) -> bool:
        """Whether it is to be left alone. `now` never goes back."""
        return row in self._rests and now < self._rests[row][1]

    def failed(self, row: Row, about: str, now: float, error: Exception) -> None:
        """An attempt came to nothing: what waits rests."""
        count = self._rests.get(row, (0, 0.0))[0]
        pause = min(MAIL_PAUSE_SECONDS * 2 ** min(count, DOUBLINGS), MAIL_PAUSE_SECONDS_MAX)
        self._rests[row] = (count + 1, now + pause)
        self.tell(Outcome.RETRIED, about, f" in {pause:.0f} s: {type(error).__name__}")
        if not isinstance(error, EXPECTED):
            log.error("a mail cannot be made", exc_info=error)

    def forget_but(self, rows: Collection[Row]) -> None:
        """Remembers nothing of what does not wait any more."""
        held = set(rows)
        self._rests = {row: rest for row, rest in self._rests.items() if row in held}
        self.settled &= held

    async def send(self, letter: Letter) -> None:
        """Returns once the server has taken it. Raises SMTPException, OSError, ValueError."""
        server, message = letter.server, compose(letter, self._host)
        port = server.port or (STARTTLS_PORT if server.use_tls else PLAIN_PORT)
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=port,
            username=server.user or None,
            password=server.password or None,
            local_hostname=self._host,
            timeout=MAIL_SECONDS,
            use_tls=server.use_tls and port == TLS_PORT,
            start_tls=server.use_tls and port != TLS_PORT,
            tls_context=self._context,
        )
        async with client:  # once the mail is taken, what ends badly here is no failure
            await client.send_message(message, timeout=MAIL_TAKING_SECONDS)


def compose(letter: Letter, host: str) -> EmailMessage:
    """The message. Raises ValueError for what is no address."""
    if not ADDRESS.fullmatch(letter.to):
        raise ValueError("an address is none that mail can be sent to")
    user = letter.server.user
    message = EmailMessage(policy=SMTP)
    message["From"] = user if ADDRESS.fullmatch(user) else f"callscreen@{host}"
    message["To"] = letter.to
    message["Subject"] = " ".join(letter.text.subject.split())
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = f"<{letter.id}@{host}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers
    parts = (letter.text.headline, letter.text.message, letter.link)
    message.set_content("\n\n".join(part for part in parts if part) + "\n")
    return message


def is_lasting(error: Exception) -> bool:
    """Whether the server would refuse this mail again, whatever the settings (RFC 5321 4.2.1).

    What it says of the log-in or the sender can be mended in the settings while the mail waits.
    """
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(each.code >= 500 for each in error.recipients)
    return isinstance(error, aiosmtplib.SMTPDataError) and error.code >= 500


def host_of(url: str) -> str:
    """The host in a URL, as a mail server is told it: an address in brackets (RFC 5321 4.1.3)."""
    host = urlsplit(url).hostname or "localhost"
    if ":" in host:
        return f"[IPv6:{host}]"
    return f"[{host}]" if host.replace(".", "").isdigit() else host


__all__ = ["Letter", "Mailer", "Outcome", "Row", "compose", "host_of", "is_lasting"]
