"""Tokens that set a password: made for an administrator, answered and mailed.

Invariants:
1. An administrator has one such token at a time; it works once, and not after its time.
2. It is told to whoever made the administrator or may change it. Where mail is on, the transaction
   that makes it leaves a mail to be sent, while there is room for one.
3. What is kept of it is its digest, and for the mail its seed; neither the object nor the audit
   log has it.
"""

from itertools import islice
from typing import Final, NamedTuple

from ...v1.administrator_pb2 import Administrator
from ...v1.object_pb2 import Object
from ...v1.settings_pb2 import EmailSettings
from ..limits import ACTIVATION_SECONDS, MAILS_WAITING, RESET_SECONDS, TOKEN_BYTES
from ..mail import ADDRESS
from ..private import LETTERS, Waiting, digest_of, letter_key, token_of
from ..store.contract import Reader
from .credentials import set_up
from .draft import Draft
from .effective import platform_settings
from .means import Means

ACTIVATE: Final = "activate"
RECOVER: Final = "recover"
SECONDS: Final = {ACTIVATE: ACTIVATION_SECONDS, RECOVER: RESET_SECONDS}


class Issued(NamedTuple):
    """A token, and its expiry in Unix seconds."""

    token: str
    expiry: float


def issue(draft: Draft, means: Means, product: str, who: Administrator, why: str) -> Issued:
    """Makes a token that sets the password; `why` is ACTIVATE or RECOVER."""
    seed = means.random(TOKEN_BYTES)
    token = token_of(means.mail_key, seed)
    expiry = set_up(draft, product, who, digest_of(token), SECONDS[why])
    if server_for(draft.reader, product, who) is not None:
        if has_room(draft.reader, LETTERS):
            mail = Waiting(draft.now, why, seed)
            draft.set_private(letter_key(product, who.username), mail.encode())
        else:
            draft.unmailed.append(f"{product}/{who.username}")
    return Issued(token, expiry)


def activated(draft: Draft, means: Means, product: str, made: Object) -> Object:
    """The object of a new administrator as it is answered: with its activation token."""
    answer = Object()
    answer.CopyFrom(made)
    answer.activation_token = issue(draft, means, product, made.administrator, ACTIVATE).token
    return answer


def server_for(reader: Reader, product: str, who: Administrator) -> EmailSettings | None:
    """How mail goes to an administrator; None where it does not."""
    server = platform_settings(reader, product).email_settings
    return server if is_on(server) and ADDRESS.fullmatch(who.email) else None


def is_on(server: EmailSettings) -> bool:
    """Whether mail is sent at all."""
    return bool(server.use_email and server.host)


def has_room(reader: Reader, rows: bytes) -> bool:
    """Whether one more of these private entries may wait."""
    return sum(1 for _ in islice(reader.scan_private(rows), MAILS_WAITING)) < MAILS_WAITING


__all__ = [
    "ACTIVATE",
    "RECOVER",
    "SECONDS",
    "Issued",
    "activated",
    "has_room",
    "is_on",
    "issue",
    "server_for",
]
