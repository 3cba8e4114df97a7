"""Mail about passwords, sent to a real mail server on loopback."""

import asyncio
import dataclasses
import ssl
from email import message_from_bytes
from email.policy import SMTP as POLICY

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult

from callscreen.core import mail as mail_module
from callscreen.core.commands import activation
from callscreen.core.commands import send_mail as sending
from callscreen.core.commands.authenticate import authenticate
from callscreen.core.commands.redeem import redeem
from callscreen.core.commands.reset import NOTHING, reset
from callscreen.core.commands.send_mail import send_mail
from callscreen.core.errors import TooMuch
from callscreen.core.limits import (
    ACTIVATION_SECONDS,
    MAIL_PAUSE_SECONDS,
    MAIL_PAUSE_SECONDS_MAX,
    RESET_SECONDS,
)
from callscreen.core.mail import Mailer, Outcome
from callscreen.core.origin import Origin, origin
from callscreen.core.private import ASKED, LETTERS, Waiting, letter_key, token_of
from callscreen.core.services.observed import Calls
from callscreen.core.services.registry import NOBODY
from callscreen.core.shown import Shown
from callscreen.core.store.contract import StoreFull

from .conftest import Desk

OWNERS = "pcs/administrator/platform_owner"
JANE = f"{OWNERS}/jane"
URL = "https://screen.example.com/app"
LOGIN = ("mailer@example.com", "mail secret")


class Post:
    """What the server took: envelopes, and how it answers the next ones."""

    def __init__(self):
        self.taken = []
        self.tried = 0
        self.answers = []
        self.pause = 0.0

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        await asyncio.sleep(self.pause)
        self.tried += 1
        if self.answers and (answer := self.answers.pop(0)):
            return answer
        self.taken.append((session, envelope))
        return "250 OK"

    @property
    def messages(self):
        return [message_from_bytes(each.content, policy=POLICY) for _, each in self.taken]


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
async def post():
    return Post()


@pytest.fixture
async def listen(post, authority):
    """Starts the server; its port."""
    servers = []

    async def started(tls="", login=False):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)

        def check(server, session, envelope, mechanism, data):
            given = data.login.decode(), data.password.decode()
            return AuthResult(success=given == LOGIN, handled=False)

        options = {}
        if tls == "starttls":
            options = {"tls_context": context, "require_starttls": True}
        if login:
            options |= {
                "authenticator": check,
                "auth_required": True,
                "auth_require_tls": bool(tls),
            }
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(post, hostname="mail.test", **options),
            "127.0.0.1",
            0,
            ssl=context if tls == "tls" else None,
        )
        servers.append(server)
        return server.sockets[0].getsockname()[1]

    yield started
    for server in servers:
        server.close()


class Ticks:
    """Seconds that pass only when told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def mailing(core, ticks, authority):
    """The core with a mailer that trusts the server's authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return dataclasses.replace(core, mail=Mailer(URL, context), ticks=ticks)


@pytest.fixture
def owner(mailing, owner):
    return Desk(mailing, owner.caller)


async def turn_on(owner, port, **given):
    fields = {"use_email": True, "host": "127.0.0.1", "port": port, **given}
    await owner.update("pcs/settings/", email_settings=fields)


def rows(core, kind):
    with core.store.read() as reader:
        return list(reader.scan_private(kind))


def waiting(core):
    return [*rows(core, ASKED), *rows(core, LETTERS)]


def audited(core):
    paths = (core.data / "audit").rglob("*.log")
    return [line for path in paths for line in path.read_text().splitlines()]


async def mailed(core):
    """What strangers asked for is looked up, then mail is sent."""
    await send_mail(core)
    await send_mail(core)


def token_in(message):
    link = message.get_content().split()[-1]
    assert link.startswith(f"{URL}/pcs/password#")
    return link.partition("#")[2]


async def test_a_new_administrator_is_mailed_what_the_creator_is_answered(owner, listen, post):
    await turn_on(owner, await listen())
    made = await owner.create(OWNERS, username="jane", email="jane@example.com")
    await send_mail(owner.core)
    (message,) = post.messages
    session, envelope = post.taken[0]
    assert envelope.rcpt_tos == ["jane@example.com"]
    assert envelope.mail_from == message["From"] == "callscreen@screen.example.com"
    assert session.host_name == "screen.example.com"
    assert message["Subject"] == "Activate Your Account"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"]
    assert message["Message-ID"]
    lines = message.get_content().split("\r\n\r\n")
    assert lines[:2] == ["Account Activation", "Click the link below to activate your account."]
    assert token_in(message) == made.activation_token
    await redeem(owner.core, "pcs", token_in(message), "long enough")


async def test_a_stranger_s_reset_is_mailed_to_the_administrator_alone(owner, listen, post):
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await owner.create(OWNERS, username="joe", email="not an address")
    await turn_on(owner, await listen())
    for name in (f"{OWNERS}/joe", f"{OWNERS}/nobody", "pcs/administrator/service_provider:x/jane"):
        assert await reset(owner.core, NOBODY, name) == NOTHING
    await mailed(owner.core)
    assert not post.taken
    assert not [row for row in audited(owner.core) if ",reset," in row]
    asker = Origin(request_id="r1", source_ip="192.0.2.7", method="POST")
    with origin(asker):
        assert await reset(owner.core, NOBODY, f"{OWNERS}/Jane") == NOTHING
    await mailed(owner.core)
    (message,) = post.messages
    assert (message["To"], message["Subject"]) == ("jane@example.com", "Recover Your Account")
    (row,) = [row for row in audited(owner.core) if ",reset," in row]
    assert "192.0.2.7" in row
    assert "r1" in row
    await redeem(owner.core, "pcs", token_in(message), "long enough")
    await authenticate(owner.core, "pcs", "jane", "long enough")


async def test_what_a_stranger_is_answered_says_and_writes_nothing_of_who_is_known(owner, listen):
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await turn_on(owner, await listen())
    written = []
    for name in (JANE, f"{OWNERS}/joan"):
        before = owner.core.store.revision
        await reset(owner.core, NOBODY, name)
        written.append((owner.core.store.revision - before, len(rows(owner.core, ASKED))))
    assert written == [(1, 1), (1, 2)]


async def test_a_stranger_s_reset_that_was_not_looked_up_in_time_comes_to_nothing(
    owner, listen, post, clock
):
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await turn_on(owner, await listen())
    await reset(owner.core, NOBODY, JANE)
    clock.now += RESET_SECONDS
    await mailed(owner.core)
    assert not post.taken
    assert not waiting(owner.core)
    assert owner.core.mail.outcomes == {Outcome.EXPIRED: 1}


async def test_resets_that_strangers_ask_for_are_refused_while_too_many_wait(
    owner, listen, monkeypatch
):
    await turn_on(owner, await listen())
    monkeypatch.setattr(activation, "MAILS_WAITING", 1)
    await reset(owner.core, NOBODY, f"{OWNERS}/joe")
    with pytest.raises(TooMuch):
        await reset(owner.core, NOBODY, JANE)
    assert len(waiting(owner.core)) == 1


async def test_a_reset_that_is_answered_is_mailed_too(owner, listen, post):
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await turn_on(owner, await listen())
    issued = await reset(owner.core, owner.caller, JANE)
    await reset(owner.core, owner.caller, f"{OWNERS}/nobody")
    await send_mail(owner.core)
    assert [token_in(message) for message in post.messages] == [issued.token]


async def test_no_mail_where_it_is_off_or_there_is_no_address(owner, listen, post):
    port = await listen()
    await turn_on(owner, port, use_email=False)
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await turn_on(owner, port)
    await owner.create(OWNERS, username="joe")
    await owner.update(JANE, email="jane@example.org")
    await send_mail(owner.core)
    assert post.tried == 0


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("tls", ["", "starttls"])
async def test_the_login_of_the_settings_is_used(owner, listen, post, tls):
    given = {"user": LOGIN[0], "password": LOGIN[1], "use_tls": bool(tls)}
    await turn_on(owner, await listen(tls, login=True), **given)
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await send_mail(owner.core)
    (message,) = post.messages
    assert message["From"] == LOGIN[0]
    assert post.taken[0][0].authenticated
    assert (post.taken[0][0].ssl is not None) is bool(tls)


async def test_tls_from_the_first_octet_on_its_port(owner, listen, post, monkeypatch):
    port = await listen("tls")
    monkeypatch.setattr(mail_module, "TLS_PORT", port)
    await turn_on(owner, port, use_tls=True)
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await send_mail(owner.core)
    assert len(post.taken) == 1


@pytest.mark.parametrize("tls", ["", "starttls"])
async def test_without_the_tls_asked_for_or_its_trust_nothing_is_sent(owner, listen, post, tls):
    owner.core = dataclasses.replace(owner.core, mail=Mailer(URL))
    await turn_on(owner, await listen(tls), use_tls=True)
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await send_mail(owner.core)
    assert post.tried == 0
    assert owner.core.mail.outcomes == {Outcome.RETRIED: 1}


async def test_a_mail_that_is_taken_is_not_sent_again_and_one_that_waits_stays(
    owner, listen, post, ticks
):
    await turn_on(owner, await listen())
    post.answers = ["451 later"]
    for name in ("jane", "joe"):
        await owner.create(OWNERS, username=name, email=f"{name}@example.com")
    await send_mail(owner.core)
    assert len(post.taken) == 1
    ((key, _),) = waiting(owner.core)
    assert key not in {letter_key("pcs", post.messages[0]["To"].partition("@")[0])}
    ticks.now += MAIL_PAUSE_SECONDS
    await mailed(owner.core)
    assert {message["To"] for message in post.messages} == {"jane@example.com", "joe@example.com"}
    assert not waiting(owner.core)
    assert owner.core.mail.outcomes == {Outcome.SENT: 2, Outcome.RETRIED: 1}


async def test_the_oldest_mail_goes_first(owner, post, listen, clock, monkeypatch):
    monkeypatch.setattr(sending, "MAILS_AT_ONCE", 1)
    await turn_on(owner, await listen())
    for name in ("zoe", "jane", "mia"):
        await owner.create(OWNERS, username=name, email=f"{name}@example.com")
        clock.now += 1
    await send_mail(owner.core)
    assert [message["To"][:3] for message in post.messages] == ["zoe", "jan", "mia"]


async def test_a_server_that_is_away_is_tried_ever_more_seldom_until_the_token_is_over(
    owner, listen, ticks, clock, caplog
):
    await turn_on(owner, await listen(), host="localhost.invalid")
    made = await owner.create(OWNERS, username="jane", email="jane@example.com")
    pauses = []
    while len(pauses) < 10:
        await send_mail(owner.core)
        began, tried = ticks.now, owner.core.mail.outcomes[Outcome.RETRIED]
        while owner.core.mail.rests(waiting(owner.core)[0], ticks.now):
            await send_mail(owner.core)
            ticks.now += MAIL_PAUSE_SECONDS
        assert owner.core.mail.outcomes[Outcome.RETRIED] == tried == len(pauses) + 1
        pauses.append(ticks.now - began)
    assert pauses[:3] == [MAIL_PAUSE_SECONDS * 2**n for n in range(3)]
    assert pauses[-2:] == [MAIL_PAUSE_SECONDS_MAX] * 2
    assert "mail to pcs/jane is tried again in 5 s" in caplog.text
    clock.now += ACTIVATION_SECONDS
    await send_mail(owner.core)
    assert not waiting(owner.core)
    assert "mail to pcs/jane is given up: the time of its token is over" in caplog.text
    assert made.activation_token not in caplog.text


@pytest.mark.parametrize(
    ("answer", "outcome"), [("554 never", Outcome.REFUSED), ("451 later", Outcome.RETRIED)]
)
async def test_a_mail_that_the_server_refuses_is_given_up(
    owner, listen, post, caplog, ticks, answer, outcome
):
    await turn_on(owner, await listen())
    post.answers = [answer]
    made = await owner.create(OWNERS, username="jane", email="jane@example.com")
    await send_mail(owner.core)
    ticks.now += MAIL_PAUSE_SECONDS
    await send_mail(owner.core)
    assert owner.core.mail.outcomes[outcome] == 1
    assert len(post.taken) == (outcome is Outcome.RETRIED)
    assert not waiting(owner.core)
    assert made.activation_token not in caplog.text
    await redeem(owner.core, "pcs", made.activation_token, "long enough")


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_a_wrong_log_in_is_mended_in_the_settings_while_the_mail_waits(
    owner, listen, post, ticks
):
    port = await listen(login=True)
    await turn_on(owner, port, user=LOGIN[0], password="wrong")
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await send_mail(owner.core)
    assert not post.taken
    await turn_on(owner, port, user=LOGIN[0], password=LOGIN[1])
    await owner.update(JANE, email="jane@example.org")
    ticks.now += MAIL_PAUSE_SECONDS
    await send_mail(owner.core)
    assert [message["To"] for message in post.messages] == ["jane@example.org"]


@pytest.mark.parametrize("change", ["off", "address", "another key"])
async def test_a_mail_that_nobody_wants_any_more_is_withdrawn(owner, listen, post, change):
    port = await listen()
    await turn_on(owner, port)
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    core = owner.core
    if change == "off":
        await turn_on(owner, port, use_email=False)
    elif change == "address":
        await owner.update(JANE, email="")
    else:
        core = dataclasses.replace(core, means=core.means.__class__(b"", bytes, b"another"))
    await send_mail(core)
    assert not post.tried
    assert not waiting(core)
    assert core.mail.outcomes == {Outcome.WITHDRAWN: 1}


@pytest.mark.parametrize("change", ["used", "replaced", "renamed", "deleted"])
async def test_a_mail_goes_with_its_token(owner, listen, post, change):
    await turn_on(owner, await listen())
    made = await owner.create(OWNERS, username="jane", email="jane@example.com")
    if change == "used":
        await redeem(owner.core, "pcs", made.activation_token, "long enough")
    elif change == "replaced":
        issued = await reset(owner.core, owner.caller, JANE)
    elif change == "renamed":
        await owner.update(JANE, username="joan")
    else:
        await owner.delete(JANE)
    await send_mail(owner.core)
    wanted = [issued.token] if change == "replaced" else []
    assert [token_in(message) for message in post.messages] == wanted
    assert not waiting(owner.core)


async def test_a_mail_that_is_replaced_while_it_is_sent_leaves_the_new_one(
    owner, listen, post, monkeypatch
):
    await turn_on(owner, await listen())
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    send, tokens = owner.core.mail.send, []

    async def slowly(letter):
        await send(letter)
        if not tokens:
            tokens.append((await reset(owner.core, owner.caller, JANE)).token)

    monkeypatch.setattr(owner.core.mail, "send", slowly)
    await mailed(owner.core)
    assert [token_in(message) for message in post.messages][1:] == tokens
    assert not waiting(owner.core)


async def test_a_mail_that_is_sent_and_cannot_be_forgotten_is_not_sent_again(
    owner, listen, post, ticks, monkeypatch
):
    await turn_on(owner, await listen())
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    with monkeypatch.context() as patched:

        async def full(*_):
            raise StoreFull

        patched.setattr(owner.core.committer, "submit", full)
        for _ in range(3):
            await send_mail(owner.core)
            ticks.now += MAIL_PAUSE_SECONDS_MAX
    assert len(waiting(owner.core)) == 1
    await send_mail(owner.core)
    assert len(post.taken) == 1
    assert not waiting(owner.core)
    assert owner.core.mail.outcomes == {Outcome.SENT: 1, Outcome.RETRIED: 3}


async def test_a_server_that_takes_a_mail_slowly_and_leaves_rudely_is_sent_it_once(
    owner, listen, post, monkeypatch
):
    monkeypatch.setattr(mail_module, "MAIL_SECONDS", 2.0)
    monkeypatch.setattr(post, "pause", 2.5)

    async def rudely(server, session, envelope):
        server.transport.abort()
        return "221 Bye"

    monkeypatch.setattr(post, "handle_QUIT", rudely, raising=False)
    await turn_on(owner, await listen())
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await send_mail(owner.core)
    assert owner.core.mail.outcomes == {Outcome.SENT: 1}
    assert len(post.taken) == 1


async def test_a_mail_that_is_sent_twice_is_so_under_one_id(owner, listen, post):
    await turn_on(owner, await listen())
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    ((key, value),) = waiting(owner.core)
    await send_mail(owner.core)

    def work(draft):
        draft.set_private(key, value)  # as it is where a core ends before it forgets

    await owner.core.write(owner.caller, work)
    await send_mail(dataclasses.replace(owner.core, mail=Mailer(URL)))
    first, second = post.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert token_in(first) not in first["Message-ID"]


async def test_beyond_the_room_a_request_is_answered_and_not_mailed(
    owner, listen, monkeypatch, caplog
):
    await turn_on(owner, await listen())
    monkeypatch.setattr(activation, "MAILS_WAITING", 1)
    await owner.create(OWNERS, username="joe", email="joe@example.com")
    made = await owner.create(OWNERS, username="jane", email="jane@example.com")
    assert [key for key, _ in waiting(owner.core)] == [letter_key("pcs", "joe")]
    assert owner.core.mail.outcomes == {Outcome.NO_ROOM: 1}
    assert "mail to pcs/jane is not kept: too many wait" in caplog.text
    await redeem(owner.core, "pcs", made.activation_token, "long enough")


async def test_what_waits_holds_no_token_address_or_text(owner, listen):
    await turn_on(owner, await listen(), user="mailer", password="mail secret")
    before = owner.core.store.revision
    made = await owner.create(OWNERS, username="jane", email="jane@example.com")
    ((key, value),) = waiting(owner.core)
    for told in (made.activation_token, "example.com", "Activate", "mailer", "mail secret"):
        assert told.encode() not in key + value
    told = b"".join(record for _, record in owner.core.store.tail(before))
    told += "".join(audited(owner.core)).encode()
    assert Waiting.decode(value).seed.hex().encode() not in told
    assert token_of(b"", Waiting.decode(value).seed) != made.activation_token


async def test_what_waits_and_what_became_of_mails_is_shown(owner, listen, post):
    await turn_on(owner, await listen())
    for name in ("jane", "joe"):
        await owner.create(OWNERS, username=name, email=f"{name}@example.com")
    await reset(owner.core, NOBODY, f"{OWNERS}/nobody")
    shown, found = Shown(owner.core, Calls(), owner.core.data), {}
    shown.background(lambda name, value, *labels: found.update({(name, *labels): value}))
    assert found["callscreen_core_mails_waiting",] == 3
    post.answers = ["554 never"]
    await send_mail(owner.core)
    shown.background(lambda name, value, *labels: found.update({(name, *labels): value}))
    assert found["callscreen_core_mails_waiting",] == 0
    for outcome in Outcome:
        expected = outcome in (Outcome.SENT, Outcome.REFUSED)
        assert found["callscreen_core_mails_total", outcome] == expected


async def test_a_mail_that_cannot_be_made_harms_no_other(owner, listen, post, monkeypatch, caplog):
    await turn_on(owner, await listen())
    for name in ("jane", "joe"):
        await owner.create(OWNERS, username=name, email=f"{name}@example.com")
    send = owner.core.mail.send

    async def picky(letter):
        if letter.to.startswith("jane"):
            raise RuntimeError("no letter")
        await send(letter)

    monkeypatch.setattr(owner.core.mail, "send", picky)
    await send_mail(owner.core)
    assert [message["To"] for message in post.messages] == ["joe@example.com"]
    assert "a mail cannot be made" in caplog.text
    assert len(waiting(owner.core)) == 1
