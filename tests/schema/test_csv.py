"""The CSV form: columns, cells to fields and back."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.schema import MASK, TYPES, Invalid
from callscreen.schema.csv import (
    cells_reader,
    cells_writer,
    csv_columns,
    detect_type,
    has_csv,
    header_columns,
    is_header,
)

NUMBER = ["number", "subscriber_name", "service_provider_name", "nickname"]
CONTACT = ["first_name", "last_name", "email", "address", "phone", "notes"]
LISTS = ["whitelist", "blacklist"]


def columns(type_, product):
    return list(csv_columns(TYPES[type_], product))


def test_columns_are_the_documented_ones():
    admin = ["username", "role_id", "first_name", "last_name", "email", "permissions"]
    assert columns("administrator", "pcs") == columns("administrator", "cin") == admin
    provider = ["name", "display_name", *CONTACT]
    assert columns("service_provider", "cin") == provider
    assert columns("service_provider", "pcs") == [*provider, *LISTS]
    subscriber = ["name", "display_name", "service_provider_name", *CONTACT]
    subscriber += ["voicemail", "service_enabled"]
    assert columns("subscriber", "cin") == subscriber
    assert columns("subscriber", "pcs") == [*subscriber, *LISTS, "override"]
    assert columns("number", "pcs") == [*NUMBER, *LISTS]
    assert columns("number", "cin") == [*NUMBER, "ivr_pin", "override_pin", "vip", "blocked"]
    assert {name for name, kind in TYPES.items() if has_csv(kind)} == {
        *("administrator", "service_provider", "subscriber", "number")
    }


def test_a_header_row_names_a_key_field():
    kind = TYPES["number"]
    assert is_header(kind, [" number ", "x"])
    assert not is_header(kind, ["+15855551234", "alice", "acme"])
    order = ["nickname", "service_provider_name", "number", "subscriber_name"]
    assert header_columns(kind, "pcs", order) == tuple(order)
    assert header_columns(kind, "pcs", ["number"], ("acme", "alice")) == ("number",)
    for wrong in (["number", "number"], ["number", "ivr_pin"], ["number", ""], ["number"]):
        with pytest.raises(Invalid):
            header_columns(kind, "pcs", wrong)


@pytest.mark.parametrize(
    ("header", "type_"),
    [
        (["number", "subscriber_name", "service_provider_name"], "number"),
        (["name", "service_provider_name", "voicemail"], "subscriber"),
        (["name"], "service_provider"),
        (["username", "role_id"], "administrator"),
        (["number"], None),
        (["foo", "bar"], None),
        ([], None),
    ],
)
def test_a_header_row_tells_the_type(header, type_):
    assert detect_type(header, "pcs") == type_


def read(type_, names, cells, product="pcs"):
    kind = TYPES[type_]
    return kind.message(**cells_reader(kind, product, names)(cells))


def test_cells_of_each_kind():
    names = ["name", "service_provider_name", "address", "service_enabled", "override", *LISTS]
    cells = [
        "alice",
        "acme",
        "1 Main St|Rochester",
        "False",
        '{"captcha": true}',
        "1900*; +1866",
        "",
    ]
    body = read("subscriber", names, cells)
    assert (body.address, body.service_enabled) == ("1 Main St\nRochester", False)
    assert (body.override.captcha, list(body.whitelist)) == (True, ["1900*", "+1866"])
    assert not body.blacklist
    assert not read("subscriber", ["name", "service_enabled"], ["x", ""]).HasField(
        "service_enabled"
    )


@pytest.mark.parametrize(
    ("name", "cell", "what"),
    [
        ("override", "{", "must be JSON"),
        ("override", "[" * 100_000, "must be JSON"),
        ("override", "[]", "must be an object"),
        ("override", '{"x": true}', "unknown"),
        ("service_enabled", "yes", "must be true or false"),
    ],
)
def test_a_cell_that_cannot_be_read_is_told(name, cell, what):
    with pytest.raises(Invalid, match=what):
        read("subscriber", ["name", name], ["alice", cell])


@pytest.mark.parametrize("cells", [["a"], ["a", "b", "c"]])
def test_ragged_rows_are_told(cells):
    with pytest.raises(Invalid, match=f"The line has {len(cells)} cells, and there are 2 columns"):
        read("subscriber", ["name", "notes"], cells)


texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0|"), min_size=1)


@given(texts, texts, st.none() | st.booleans(), st.lists(st.sampled_from(["+1900*", "+1866"])))
def test_what_is_written_reads_to_the_same(name, text, enabled, entries):
    kind = TYPES["subscriber"]
    body = kind.message(name=name, notes=text, address=text, whitelist=entries)
    if enabled is not None:
        body.service_enabled = enabled
        body.override.captcha = enabled
    cells = cells_writer(kind, "pcs")(body)
    file = io.StringIO(newline="")
    csv.writer(file).writerow(cells)
    assert list(csv.reader(io.StringIO(file.getvalue(), newline=""), strict=True)) == [cells]
    assert read("subscriber", csv_columns(kind, "pcs"), cells) == body


def test_secrets_are_left_empty():
    kind = TYPES["number"]
    body = kind.message(number="+1585", ivr_pin="4711", vip=["+1", "+2"])
    cells = dict(zip(csv_columns(kind, "cin"), cells_writer(kind, "cin")(body), strict=True))
    assert (cells["ivr_pin"], cells["vip"], cells["number"]) == ("", "+1;+2", "+1585")
    assert MASK not in cells.values()
