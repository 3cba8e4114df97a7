"""Mail about passwords, sent in the background (RFC 5321, RFC 5322).

Invariants:
1. Whoever posts a mail waits for nothing and learns nothing: what fails is a line in the log.
2. At most MAILS_WAITING wait, MAILS_AT_ONCE are on their way; one that the server cannot take now
   is tried again after each of MAIL_PAUSES, one that it refuses is not.
3. No text of a setting or of an administrator ends a header or begins another: an address is of
   plain printable characters, a subject is one line.
4. A link, and so the token in it, stands in no log line.
"""

import asyncio
import logging
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime, make_msgid
from typing import Final
from urllib.parse import urlsplit

import aiosmtplib

from ..v1.settings_pb2 import EmailSettings, MailText
from .limits import MAIL_PAUSES, MAIL_SECONDS, MAILS_AT_ONCE, MAILS_WAITING

ADDRESS: Final = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])", re.A)
PLAIN_PORT: Final = 25
STARTTLS_PORT: Final = 587
TLS_PORT: Final = 465  # where TLS begins with the connection (RFC 8314)

log = logging.getLogger("callscreen.core")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail: by which server, to which address, what it says, and the link it ends with."""

    server: EmailSettings
    to: str
    text: MailText
    link: str
    about: str  # for the log: whose mail it is


class Mailer:
    """Sends letters. `sleep` and `context` (of TLS) are there to be replaced in tests."""

    def __init__(
        self,
        public_url: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._url = public_url.rstrip("/")
        self._host = host_of(public_url)
        self._sleep = sleep
        self._context = context
        self._room = asyncio.Semaphore(MAILS_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many wait or are on their way."""
        return len(self._tasks)

    def link(self, product: str, token: str) -> str:
        """Where a token sets a password; what follows # is sent to no server."""
        return f"{self._url}/{product}/password#{token}"

    def post(self, make: Callable[[], Awaitable[Letter | None]]) -> None:
        """Makes a letter, if there is one to make, and sends it, both later."""
        if len(self._tasks) >= MAILS_WAITING:
            log.warning("a mail is dropped: %d are waiting", MAILS_WAITING)
            return
        task = asyncio.get_running_loop().create_task(self._send(make))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Returns when nothing is left to send."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        """Ends: what is not sent yet is not sent."""
        tasks = set(self._tasks)
        if tasks:
            log.warning("%d mails are not sent: the core stops", len(tasks))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, make: Callable[[], Awaitable[Letter | None]]) -> None:
        try:
            async with self._room:
                letter = await make()
            if letter is not None:
                await self._deliver(letter, compose(letter, self._host))
        except Exception:
            log.exception("a mail cannot be made")

    async def _deliver(self, letter: Letter, message: EmailMessage) -> None:
        for pause in (*MAIL_PAUSES, None):
            try:
                async with self._room, asyncio.timeout(MAIL_SECONDS):
                    await self._attempt(letter.server, message)
            except (aiosmtplib.SMTPException, OSError) as error:
                lasting = pause is None or is_lasting(error)
                outcome = "is given up" if lasting else f"is tried again in {pause:.0f} s"
                log.warning("mail to %s %s: %s", letter.about, outcome, type(error).__name__)
                if lasting or pause is None:
                    return
                await self._sleep(pause)
            else:
                log.info("mail to %s sent", letter.about)
                return

    async def _attempt(self, server: EmailSettings, message: EmailMessage) -> None:
        port = server.port or (STARTTLS_PORT if server.use_tls else PLAIN_PORT)
        await aiosmtplib.send(
            message,
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


def compose(letter: Letter, host: str) -> EmailMessage:
    """The message. Raises ValueError for what is no address."""
    if not ADDRESS.fullmatch(letter.to):
        raise ValueError(f"the address of {letter.about} is none that mail can be sent to")
    user = letter.server.user
    message = EmailMessage(policy=SMTP)
    message["From"] = user if ADDRESS.fullmatch(user) else f"callscreen@{host}"
    message["To"] = letter.to
    message["Subject"] = " ".join(letter.text.subject.split())
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = make_msgid(domain=host)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers
    parts = (letter.text.headline, letter.text.message, letter.link)
    message.set_content("\n\n".join(part for part in parts if part) + "\n")
    return message


def is_lasting(error: Exception) -> bool:
    """Whether the server would refuse the same again (RFC 5321 4.2.1: 5yz)."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(each.code >= 500 for each in error.recipients)
    return isinstance(error, aiosmtplib.SMTPResponseException) and error.code >= 500


def host_of(url: str) -> str:
    """The host in a URL, as a mail server is told it: an address in brackets (RFC 5321 4.1.3)."""
    host = urlsplit(url).hostname or "localhost"
    if ":" in host:
        return f"[IPv6:{host}]"
    return f"[{host}]" if host.replace(".", "").isdigit() else host


__all__ = ["Letter", "Mailer", "compose", "host_of", "is_lasting"]
