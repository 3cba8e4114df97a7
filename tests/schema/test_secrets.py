"""Secrets are never shown, never published, and survive being sent back masked."""

import pytest

from callscreen.schema import MASK, TYPES, Invalid
from callscreen.v1 import settings_pb2, subscriber_pb2

HASH = "hmac-sha256$" + "0" * 64


def settings(password: str | None = None) -> settings_pb2.Settings:
    message = settings_pb2.Settings()
    if password is not None:
        message.application_password = password
        message.email_settings.password = password
    return message


def test_a_secret_reads_as_a_mask() -> None:
    document = TYPES["settings"].to_json(settings("hunter2"), "pcs")
    assert document["application_password"] == MASK
    assert document["email_settings"]["password"] == MASK
    assert "hunter2" not in str(document)
    assert TYPES["settings"].to_json(settings(), "pcs")["application_password"] is None


def test_publishing_clears_every_secret() -> None:
    message = settings("hunter2")
    message.csr_location = "sip:csr@localhost"
    TYPES["settings"].redact(message)
    assert b"hunter2" not in message.SerializeToString()
    assert message.csr_location == "sip:csr@localhost"
    number = subscriber_pb2.Number(number="+1", ivr_pin=HASH, override_pin=HASH)
    TYPES["number"].redact(number)
    assert number == subscriber_pb2.Number(number="+1")


def test_the_mask_sent_back_keeps_the_value() -> None:
    new = settings(MASK)
    TYPES["settings"].keep_masked(new, settings("hunter2"))
    assert new == settings("hunter2")


@pytest.mark.parametrize("old", [None, settings()])
def test_the_mask_over_nothing_is_nothing(old: settings_pb2.Settings | None) -> None:
    new = settings(MASK)
    TYPES["settings"].keep_masked(new, old)
    assert not new.HasField("application_password")
    assert not new.email_settings.HasField("password")


def test_a_new_value_replaces_the_old_one() -> None:
    new = settings("new")
    TYPES["settings"].keep_masked(new, settings("old"))
    assert new == settings("new")


def test_a_pin_cannot_be_given_as_a_hash() -> None:
    number = subscriber_pb2.Number(ivr_pin=HASH)
    TYPES["number"].keep_masked(number, subscriber_pb2.Number(ivr_pin=HASH))
    assert number.ivr_pin == HASH
    for old in (None, subscriber_pb2.Number(), subscriber_pb2.Number(override_pin=HASH)):
        with pytest.raises(Invalid, match="'ivr_pin' must be digits"):
            TYPES["number"].keep_masked(number, old)


def test_a_password_may_look_like_a_hash() -> None:
    new = settings(HASH)
    TYPES["settings"].keep_masked(new, None)
    assert new == settings(HASH)


def test_an_empty_secret_is_none_but_an_empty_pin_is_too_short() -> None:
    body = {"application_password": "", "email_settings": {"password": ""}}
    message, mask = TYPES["settings"].from_json(body, "pcs")
    assert mask == ("application_password", "email_settings")
    assert not message.HasField("application_password")
    assert not message.email_settings.HasField("password")
    number, _ = TYPES["number"].from_json({"number": "+1", "ivr_pin": ""}, "cin")
    number.subscriber_name = number.service_provider_name = "a"
    with pytest.raises(Invalid, match="'ivr_pin' must have at least 4 characters"):
        TYPES["number"].validate(number, "cin")
