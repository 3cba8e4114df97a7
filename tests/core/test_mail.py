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
from callscreen.core.commands.authenticate import authenticate
from callscreen.core.commands.redeem import redeem
from callscreen.core.commands.reset import NOTHING, reset
from callscreen.core.limits import MAIL_PAUSES, MAILS_AT_ONCE, MAILS_WAITING
from callscreen.core.mail import Mailer
from callscreen.core.services.registry import NOBODY

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

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
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
            return AuthResult(success=given == LOGIN)

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


class Waits:
    """A sleep that takes no time and remembers how long it was to be."""

    def __init__(self):
        self.pauses = []

    async def __call__(self, seconds):
        self.pauses.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def waits():
    return Waits()


@pytest.fixture
async def mailing(core, waits, authority):
    """The core with a mailer that trusts the server's authority and waits for nothing."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    mailer = Mailer(URL, waits, context)
    yield dataclasses.replace(core, mail=mailer)
    await mailer.close()


@pytest.fixture
def owner(mailing, owner):
    return Desk(mailing, owner.caller)


async def turn_on(owner, port, **given):
    fields = {"use_email": True, "host": "127.0.0.1", "port": port, **given}
    await owner.update("pcs/settings/", email_settings=fields)


def token_in(message):
    link = message.get_content().split()[-1]
    assert link.startswith(f"{URL}/pcs/password#")
    return link.partition("#")[2]


async def test_a_new_administrator_is_mailed_what_the_creator_is_answered(owner, listen, post):
    await turn_on(owner, await listen())
    made = await owner.create(OWNERS, username="jane", email="jane@example.com")
    await owner.core.mail.idle()
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
    before = owner.core.store.revision
    for name in (f"{OWNERS}/joe", f"{OWNERS}/nobody", "pcs/administrator/service_provider:x/jane"):
        assert await reset(owner.core, NOBODY, name) == NOTHING
    await owner.core.mail.idle()
    assert not post.taken
    assert owner.core.store.revision == before
    assert await reset(owner.core, NOBODY, f"{OWNERS}/Jane") == NOTHING
    await owner.core.mail.idle()
    (message,) = post.messages
    assert (message["To"], message["Subject"]) == ("jane@example.com", "Recover Your Account")
    await redeem(owner.core, "pcs", token_in(message), "long enough")
    await authenticate(owner.core, "pcs", "jane", "long enough")


async def test_a_reset_that_is_answered_is_mailed_too(owner, listen, post):
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await turn_on(owner, await listen())
    issued = await reset(owner.core, owner.caller, JANE)
    await reset(owner.core, owner.caller, f"{OWNERS}/nobody")
    await owner.core.mail.idle()
    assert [token_in(message) for message in post.messages] == [issued.token]


async def test_no_mail_where_it_is_off_or_there_is_no_address(owner, listen, post):
    port = await listen()
    await turn_on(owner, port, use_email=False)
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await turn_on(owner, port)
    await owner.create(OWNERS, username="joe")
    await owner.update(JANE, email="jane@example.org")
    await owner.core.mail.idle()
    assert post.tried == 0


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("tls", ["", "starttls"])
async def test_the_login_of_the_settings_is_used(owner, listen, post, tls):
    given = {"user": LOGIN[0], "password": LOGIN[1], "use_tls": bool(tls)}
    await turn_on(owner, await listen(tls, login=True), **given)
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await owner.core.mail.idle()
    (message,) = post.messages
    assert message["From"] == LOGIN[0]
    assert post.taken[0][0].authenticated
    assert (post.taken[0][0].ssl is not None) is bool(tls)


async def test_tls_from_the_first_octet_on_its_port(owner, listen, post, monkeypatch):
    port = await listen("tls")
    monkeypatch.setattr(mail_module, "TLS_PORT", port)
    await turn_on(owner, port, use_tls=True)
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await owner.core.mail.idle()
    assert len(post.taken) == 1


@pytest.mark.parametrize("tls", ["", "starttls"])
async def test_without_the_tls_asked_for_or_its_trust_nothing_is_sent(owner, listen, post, tls):
    untrusting = Mailer(URL, Waits())
    owner.core = dataclasses.replace(owner.core, mail=untrusting)
    await turn_on(owner, await listen(tls), use_tls=True)
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await untrusting.idle()
    assert post.tried == 0


async def test_a_server_that_is_busy_is_tried_again_and_one_that_refuses_is_not(
    owner, listen, post, waits, caplog
):
    await turn_on(owner, await listen())
    post.answers = ["451 later", "451 later", ""]
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await owner.core.mail.idle()
    assert (len(post.taken), waits.pauses) == (1, list(MAIL_PAUSES[:2]))
    post.answers = ["554 never"]
    issued = await reset(owner.core, owner.caller, JANE)
    await owner.core.mail.idle()
    assert (len(post.taken), post.tried) == (1, 4)
    assert "mail to pcs/jane is given up" in caplog.text
    assert issued.token not in caplog.text


async def test_a_server_that_is_away_fails_no_request(owner, listen, waits, caplog):
    port = await listen()
    await turn_on(owner, port, host="localhost.invalid")
    made = await owner.create(OWNERS, username="jane", email="jane@example.com")
    await owner.core.mail.idle()
    assert waits.pauses == list(MAIL_PAUSES)
    assert made.activation_token not in caplog.text
    await redeem(owner.core, "pcs", made.activation_token, "long enough")


async def test_what_waits_is_bounded_and_dropped_at_a_stop(caplog):
    mailer, gate = Mailer(URL), asyncio.Event()
    begun = []

    async def make():
        begun.append(1)
        await gate.wait()

    for _ in range(MAILS_WAITING + 5):
        mailer.post(make)
    await asyncio.sleep(0)
    assert len(begun) == MAILS_AT_ONCE
    assert caplog.text.count("a mail is dropped") == 5
    await mailer.close()
    assert f"{MAILS_WAITING} mails are not sent" in caplog.text
    await mailer.idle()


async def test_a_letter_that_cannot_be_made_harms_no_other(owner, listen, post, caplog):
    await turn_on(owner, await listen())

    async def broken():
        raise RuntimeError("no letter")

    owner.core.mail.post(broken)
    await owner.create(OWNERS, username="jane", email="jane@example.com")
    await owner.core.mail.idle()
    assert len(post.taken) == 1
    assert "a mail cannot be made" in caplog.text
