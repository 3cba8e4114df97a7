"""Sends the mail that waits, oldest first, and looks up the resets that strangers asked for.

Invariants:
1. A mail is forgotten once the server has taken it, or will not, or its token is not live any more.
   A core that ends between the two sends it again, under the same Message-ID.
2. Whom it goes to, by which server and with what text is looked up when it is sent: what was wrong
   in them can be mended while it waits.
3. What fails rests, each time twice as long, and neither ends nor holds up any other.
"""

import asyncio
from collections.abc import Iterator

import aiosmtplib
import orjson

from ...v1.object_pb2 import Object
from ..access import Principal, service
from ..limits import MAILS_AT_ONCE, RESET_SECONDS
from ..mail import Letter, Outcome, Row, is_lasting
from ..origin import Origin, origin
from ..private import (
    ASKED,
    LETTERS,
    Asked,
    Token,
    Waiting,
    digest_of,
    redeemable_key,
    token_of,
)
from ..store.contract import Key, Reader
from .activation import SECONDS, server_for
from .context import Core
from .credentials import KIND
from .draft import Draft
from .reset import begin

ACTOR = "callscreen"


async def send_mail(core: Core) -> None:
    """One attempt at all that waits and does not rest."""
    with core.store.read() as reader:
        rows = [*reader.scan_private(ASKED), *reader.scan_private(LETTERS)]
    rows.sort(key=lambda row: float(orjson.loads(row[1])[0]))  # since when it waits
    core.mail.forget_but(rows)
    due = (row for row in rows if not core.mail.rests(row, core.ticks()))
    await asyncio.gather(*(_work_off(core, due) for _ in range(MAILS_AT_ONCE)))


async def _work_off(core: Core, rows: Iterator[Row]) -> None:
    for row in rows:
        try:
            if row[0].startswith(ASKED):
                await _look_up(core, row)
            else:
                await _send(core, row)
        except Exception as error:
            core.mail.failed(row, _about(row), core.ticks(), error)


async def _send(core: Core, row: Row) -> None:
    if row not in core.mail.settled:  # else its removal alone had failed
        core.mail.tell(await _outcome(core, row), _about(row))
        core.mail.settled.add(row)

    def work(draft: Draft) -> None:
        if draft.private(row[0]) == row[1]:  # not replaced meanwhile
            draft.set_private(row[0], None)

    await core.write(service(ACTOR), work)


async def _outcome(core: Core, row: Row) -> Outcome:
    """Sends a mail. Raises whatever may be over by the next attempt."""
    mail = Waiting.decode(row[1])
    if core.clock() >= mail.since + SECONDS[mail.why]:
        return Outcome.EXPIRED
    with core.store.read() as reader:
        letter = _letter(core, reader, mail)
    if letter is None:
        return Outcome.WITHDRAWN
    try:
        await core.mail.send(letter)
    except aiosmtplib.SMTPException as error:
        if is_lasting(error):
            return Outcome.REFUSED
        raise
    return Outcome.SENT


def _letter(core: Core, reader: Reader, mail: Waiting) -> Letter | None:
    """The letter; None where its token is not known or the administrator has no mail any more."""
    token = token_of(core.means.mail_key, mail.seed)
    digest = digest_of(token)
    held = reader.private(redeemable_key(digest))
    if held is None:
        return None
    of = Token.decode(held)
    found = reader.get(Key(of.product, KIND.type, KIND.path_of((of.role_id, of.username))))
    if found is None:
        return None
    who = Object.FromString(found).administrator
    server = server_for(reader, of.product, who)
    if server is None:
        return None
    text, link = getattr(server.messages, mail.why), core.mail.link(of.product, token)
    return Letter(server, who.email, text, link, digest.hex()[:32])


async def _look_up(core: Core, row: Row) -> None:
    asked = Asked.decode(row[1])

    def work(draft: Draft) -> bool:
        in_time = draft.now < asked.since + RESET_SECONDS
        if draft.private(row[0]) == row[1]:
            draft.set_private(row[0], None)
            if in_time:
                begin(draft, core.means, asked.name)
        return in_time

    nobody = Principal(username="", role="", product=asked.name.partition("/")[0])
    with origin(Origin(asked.request_id, asked.source_ip, asked.method)):
        in_time = await core.write(nobody, work)
    if not in_time:
        core.mail.tell(Outcome.EXPIRED, _about(row))


def _about(row: Row) -> str:
    """Whose mail it is, for the log, which has no text of a stranger."""
    if row[0].startswith(ASKED):
        return "whoever a stranger named"
    return row[0].removeprefix(LETTERS).replace(b"\0", b"/").decode()


__all__ = ["send_mail"]
