"""What a letter says, and to whom: no text of an object or a setting makes it say more."""

from email import message_from_bytes
from email.policy import SMTP as POLICY

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.core.mail import Letter, Mailer, compose, host_of
from callscreen.v1.settings_pb2 import EmailSettings, MailText

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
EVIL = st.sampled_from(["a@b.com\r\nBcc: x@y.com", "a@b.com, c@d.com", "x", "", "ü@b.com", "a@b c"])


@given(TEXTS, TEXTS, TEXTS)
@settings(max_examples=100, deadline=None)
def test_no_text_makes_another_header_or_recipient(subject, body, user):
    server = EmailSettings(host="h", user=user)
    letter = Letter(server, "jane@example.com", MailText(subject=subject, message=body), "L", "x")
    sent = message_from_bytes(bytes(compose(letter, "example.com")), policy=POLICY)
    assert len(sent.keys()) == len(set(sent.keys())) == 9
    assert {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"} < set(sent.keys())
    assert sent["To"] == "jane@example.com"
    assert len(sent["From"].addresses) == 1


@given(EVIL)
def test_what_is_no_address_is_no_recipient(to):
    letter = Letter(EmailSettings(host="h"), to, MailText(subject="s"), "L", "pcs/jane")
    with pytest.raises(ValueError, match="none that mail can be sent to"):
        compose(letter, "example.com")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://screen.example.com/app/", "screen.example.com"),
        ("http://127.0.0.1:8080", "[127.0.0.1]"),
        ("http://[::1]:8080", "[IPv6:::1]"),
        ("nonsense", "localhost"),
    ],
)
def test_a_mail_server_is_told_the_host_of_the_public_address(url, host):
    assert host_of(url) == host
    assert Mailer(url).link("cin", "t") == f"{url.rstrip('/')}/cin/password#t"
