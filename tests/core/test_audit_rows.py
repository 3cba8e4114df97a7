"""A row of the audit log, whatever its cells hold."""

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.core.access import principal, service
from callscreen.core.audit.changes import changed_fields
from callscreen.core.audit.rows import COLUMNS, Event, render
from callscreen.core.limits import LIST_ENTRIES
from callscreen.core.origin import Origin
from callscreen.schema import MASK, TYPES
from callscreen.v1.object_pb2 import Object

NOW = 1_800_000_000.1234
FROM = Origin("r-1", "192.0.2.7", "PUT", "", NOW - 0.0121)
OWNER = principal("pcs", "pcs_administrator", "platform_owner")


def obj(kind, name, **fields):
    return Object(name=name, **{kind: TYPES[kind].message(**fields)})


def number(**fields):
    return obj("number", "pcs/number/acme/alice/%2B15855550001", number="+15855550001", **fields)


def rows(changes, events=(), caller=OWNER, of=FROM):
    text = render(caller, of, NOW, changes, events)
    return {
        product: [
            dict(zip(COLUMNS, row, strict=True)) for row in csv.reader(io.StringIO(part.decode()))
        ]
        for product, part in text.items()
    }


def fields(kind, old, new, product="pcs"):
    return json.loads(changed_fields(TYPES[kind], product, old, new))


def test_every_column_is_there():
    change = ("pcs", "number", number().name, "create", None, number(nickname="home"))
    assert rows([change]) == {
        "pcs": [
            {
                "time": "2027-01-15T08:00:00.123Z",
                "request_id": "r-1",
                "username": "pcs_administrator",
                "role_id": "platform_owner",
                "source_ip": "192.0.2.7",
                "product": "pcs",
                "method": "PUT",
                "object": "number",
                "object_id": "acme/alice/%2B15855550001",
                "action": "create",
                "code": "200",
                "changed_fields": '{"number":[null,"+15855550001"],"nickname":[null,"home"]}',
                "duration_ms": "12",
                "job_id": "",
            }
        ]
    }


def test_a_row_goes_to_the_file_of_its_product():
    settings_of = [
        (product, "settings", f"{product}/settings/", "update", None, None)
        for product in ("pcs", "cin", "pcs")
    ]
    found = rows(settings_of, caller=service(), of=Origin(job_id="7"))
    assert {product: len(each) for product, each in found.items()} == {"pcs": 2, "cin": 1}
    row = found["cin"][0]
    assert (row["object_id"], row["job_id"], row["duration_ms"]) == ("", "7", "")
    assert (row["username"], row["role_id"], row["changed_fields"]) == ("service", "", "{}")


def test_an_update_tells_only_what_differs():
    old, new = number(nickname="a", subscriber_name="alice"), number(subscriber_name="alice")
    assert fields("number", old, new) == {"nickname": ["a", None]}
    assert fields("number", new, old) == {"nickname": [None, "a"]}
    assert fields("number", old, old) == {}
    assert fields("number", old, None)["nickname"] == ["a", None]


def test_the_fields_of_a_group_are_told_one_by_one():
    old = obj("settings", "pcs/settings/", web_settings={"default_cc": "1", "password_length": 8})
    new = obj("settings", "pcs/settings/", web_settings={"default_cc": "44", "password_length": 8})
    assert fields("settings", old, new) == {"web_settings.default_cc": ["1", "44"]}


def test_secrets_and_pins_are_masked():
    old = number(ivr_pin="sha256:aa", override_pin="sha256:bb")
    new = number(ivr_pin="sha256:cc")
    assert fields("number", old, new, "cin") == {
        "ivr_pin": [MASK, MASK],
        "override_pin": [MASK, None],
    }
    assert fields("number", None, new, "cin")["ivr_pin"] == [None, MASK]
    secret = obj("settings", "pcs/settings/", email_settings={"password": "hunter2"})
    other = obj("settings", "pcs/settings/", email_settings={"password": "hunter3"})
    for pair in ((secret, other), (None, secret), (secret, None)):
        assert b"hunter" not in changed_fields(TYPES["settings"], "pcs", *pair)


def test_a_long_list_is_told_by_its_number():
    short = [f"+1585555{n:04}" for n in range(LIST_ENTRIES)]
    new = number(whitelist=short, blacklist=[*short, "+15855559999"])
    assert fields("number", number(), new) == {
        "whitelist": [None, short],
        "blacklist": [None, {"entries": LIST_ENTRIES + 1}],
    }


def test_a_change_of_no_object_is_told_too():
    nobody = principal("pcs", "alice", "platform_owner")
    event = Event("pcs", "administrator", "pcs/administrator/x/alice", "login", "subscriber:a:b")
    (row,) = rows([], [event], caller=nobody)["pcs"]
    assert (row["action"], row["role_id"], row["changed_fields"]) == (
        "login",
        "platform_owner",
        "{}",
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_is_a_formula(start):
    caller = principal("pcs", "x", f"service_provider:{start}a")
    change = ("pcs", "service_provider", f"pcs/service_provider/{start}a", "create", None, None)
    (row,) = rows([change], caller=caller, of=Origin(request_id=f"{start}cmd"))["pcs"]
    assert row["request_id"] == f"'{start}cmd"
    assert not {each[:1] for each in row.values()} & set("=+-@\t\r")


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=20),
    st.from_regex(r"[!-~]{0,20}", fullmatch=True),
)
def test_what_is_written_is_read_back(text, request_id):
    change = ("pcs", "number", number().name, "update", number(), number(nickname=text))
    caller = principal("pcs", "x", f"service_provider:{text}x")
    (row,) = rows([change], caller=caller, of=Origin(request_id))["pcs"]
    assert row["request_id"].removeprefix("'") == request_id.removeprefix("'")
    assert row["role_id"] == f"service_provider:{text}x"
    assert json.loads(row["changed_fields"]) == {"nickname": [None, text]}


def test_a_row_is_one_line():
    caller = principal("pcs", "x", "service_provider:a\r\nb")
    change = ("pcs", "number", number().name, "update", number(), number(nickname="a\nb"))
    text = render(caller, FROM, NOW, [change])["pcs"]
    assert text.count(b"\n") == 1
    assert b"service_provider:a  b," in text
