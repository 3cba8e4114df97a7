"""Tokens that set a password: made for an administrator, mailed and answered.

Invariants:
1. An administrator has one such token at a time; it works once, and not after its time.
2. It is told to whoever made the administrator or may change it, and mailed where mail is on; what
   is kept of it is its digest, and neither the object nor the audit log has it.
"""

from functools import partial
from typing import Final, NamedTuple

from ...v1.administrator_pb2 import Administrator
from ...v1.object_pb2 import Object
from ...v1.settings_pb2 import EmailSettings, MailText
from ..limits import ACTIVATION_SECONDS, RESET_SECONDS
from ..mail import ADDRESS, Letter
from ..private import digest_of
from ..store.contract import Reader
from .authenticate import new_token
from .context import Core, Means
from .credentials import set_up
from .draft import Draft
from .effective import platform_settings

ACTIVATE: Final = "activate"
RECOVER: Final = "recover"
SECONDS: Final = {ACTIVATE: ACTIVATION_SECONDS, RECOVER: RESET_SECONDS}


class Issued(NamedTuple):
    """A token, and its expiry in Unix seconds."""

    token: str
    expiry: float


def issue(draft: Draft, means: Means, product: str, who: Administrator, why: str) -> Issued:
    """Makes a token that sets the password; `why` is ACTIVATE or RECOVER."""
    token = new_token(means)
    return Issued(token, set_up(draft, product, who, digest_of(token), SECONDS[why]))


def activated(draft: Draft, means: Means, product: str, made: Object) -> Object:
    """The object of a new administrator as it is answered: with its activation token."""
    answer = Object()
    answer.CopyFrom(made)
    answer.activation_token = issue(draft, means, product, made.administrator, ACTIVATE).token
    return answer


def announce(core: Core, product: str, made: Object) -> None:
    """Mails the activation token of an administrator just created, where there is one."""
    if made.activation_token:
        who = Administrator()
        who.CopyFrom(made.administrator)
        core.mail.post(partial(posted, core, product, who, ACTIVATE, made.activation_token))


async def posted(
    core: Core, product: str, who: Administrator, why: str, token: str
) -> Letter | None:
    """The letter that carries a token; None where no mail is sent."""
    with core.store.read() as reader:
        server = server_for(reader, product, who)
    return None if server is None else letter(core, server, product, who, why, token)


def server_for(reader: Reader, product: str, who: Administrator) -> EmailSettings | None:
    """How mail goes to an administrator; None where it does not."""
    server = platform_settings(reader, product).email_settings
    reached = server.use_email and server.host and ADDRESS.fullmatch(who.email)
    return server if reached else None


def letter(
    core: Core, server: EmailSettings, product: str, who: Administrator, why: str, token: str
) -> Letter:
    """The letter that carries a token."""
    text: MailText = getattr(server.messages, why)
    link = core.mail.link(product, token)
    return Letter(server, who.email, text, link, f"{product}/{who.username}")


__all__ = [
    "ACTIVATE",
    "RECOVER",
    "Issued",
    "activated",
    "announce",
    "issue",
    "letter",
    "posted",
    "server_for",
]
