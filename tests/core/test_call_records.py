"""Call records: kept once, found by table query, a tenant's own alone."""

from uuid import UUID

import pytest

from callscreen.core.commands import append_records
from callscreen.core.commands.expire_records import DAY, expire_records, record_days
from callscreen.core.commands.query_records import query as query_records
from callscreen.core.errors import InvalidInput, NotFound
from callscreen.core.store.contract import Batch, Key, Put
from callscreen.v1 import rules_pb2
from callscreen.v1.object_pb2 import Object
from callscreen.v1.provisioning_pb2 import TableQuery
from callscreen.v1.records_pb2 import AppendRequest
from callscreen.v1.screening_pb2 import CallRecord, Step

from .conftest import tenant


def cdr_id(place):
    return str(UUID(int=0x01900000_0000_7000_8000_000000000000 + place))


def record(place, **fields):
    given = {
        "cdr_id": cdr_id(place),
        "product": rules_pb2.PCS,
        "called_number": f"+1585555{place:04}",
        "service_provider_name": "acme" if place % 2 else "other",
        "subscriber_name": "alice",
        "start_time": {"seconds": 1_800_000_000 + place},
        "events": "0:invite",
    }
    return CallRecord(**{**given, **fields})


async def append(core, caller, records):
    data = AppendRequest(id=7, records=records).SerializeToString()
    id, new = await append_records.append(core, caller, data)
    assert id == 7
    return new


@pytest.fixture
async def ten(core, inside):
    await append(core, inside.caller, [record(place) for place in range(10)])

    def ask(parent="pcs/cdr", caller=inside.caller, size=1000, token="", skip=0, **query):
        return query_records(core, caller, parent, TableQuery(**query), size, token, skip)

    return ask


def places(page):
    return [UUID(each.cdr_id).int & 0xFFFF for each in page.records]


async def test_the_newest_come_first(ten):
    assert places(ten()) == list(range(9, -1, -1))
    assert places(ten("pcs/cdr/acme")) == [9, 7, 5, 3, 1]
    assert places(ten("pcs/cdr/acme/alice")) == [9, 7, 5, 3, 1]
    assert places(ten("pcs/cdr/acme/bob")) == []
    assert places(ten("cin/cdr")) == []


async def test_a_record_sent_twice_is_kept_once(ten, core, inside):
    again = [record(3, events="other"), record(11), record(11)]
    assert await append(core, inside.caller, again) == 1
    page = ten(search=f"cdr_id:{cdr_id(3)}")
    assert (page.total, page.records[0].events) == (1, "0:invite")


async def test_a_record_of_no_product_is_kept_in_both(ten, core, inside):
    lone = record(20, product=rules_pb2.PRODUCT_UNSPECIFIED, service_provider_name="")
    await append(core, inside.caller, [lone])
    assert places(ten("cin/cdr")) == [20]
    assert places(ten(size=1)) == [20]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, list(range(9, -1, -1))),
        ({"sort": "start_time asc"}, list(range(10))),
        ({"search": "service_provider_name:acme"}, [9, 7, 5, 3, 1]),
        ({"like": "+15855550004"}, [4]),
        ({"icontains": "called_number:0007"}, [7]),
    ],
)
@pytest.mark.parametrize("size", [1, 4, 1000])
async def test_pages_joined_are_the_whole_answer(ten, query, expected, size):
    seen, token = [], ""
    while True:
        page = ten(size=size, token=token, **query)
        assert page.total == len(expected)
        seen += places(page)
        token = page.next_page_token
        if not token:
            break
    assert seen == expected
    assert places(ten(skip=2, **query)) == expected[2:]
    assert (ten(size=0, **query).total, places(ten(size=0, **query))) == (len(expected), [])


async def test_a_tenant_sees_its_own(ten, desk, owner):
    await tenant(owner, "acme", "alice", "+15855550001")
    acme = desk("service_provider:acme").caller
    assert places(ten(caller=acme)) == [9, 7, 5, 3, 1]
    assert ten("pcs/cdr/other", caller=acme).total == 0
    assert ten("pcs/cdr/acme", caller=desk("subscriber:acme:bob").caller).total == 0
    assert ten("pcs/cdr", caller=desk("subscriber:acme:alice").caller).total == 5


async def test_a_name_that_was_another_s_gives_none_of_the_other_s_calls(ten, desk, owner, clock):
    await tenant(owner, "acme", "alice", "+15855550001")
    await owner.delete("pcs/service_provider/acme")
    acme = desk("service_provider:acme").caller
    assert ten(caller=acme).total == 0
    clock.now += 6
    await tenant(owner, "acme", "alice", "+15855550001")
    assert places(ten(caller=acme)) == [9, 7]
    assert places(ten("pcs/cdr/acme")) == [9, 7, 5, 3, 1]


@pytest.mark.parametrize(
    "fields",
    [
        {"cdr_id": ""},
        {"cdr_id": "x"},
        {"cdr_id": cdr_id(0xABC).upper()},
        {"cdr_id": cdr_id(1).replace("-", "")},
        {"product": 7},
        {"called_number": "x" * 251},
        {"subscriber_name": "a\0b"},
        {"events": "x" * 65_537},
        {"start_time": {"seconds": -1}},
        {"end_time": {"seconds": 253_402_300_800}},
        {"end_time": {"nanos": 10**9}},
        {"verdict": {"trace": [Step()] * 65}},
        {"verdict": {"reason": "x" * 200_000}},
    ],
)
async def test_a_malformed_record_refuses_its_batch(ten, core, inside, fields):
    with pytest.raises(InvalidInput) as refused:
        await append(core, inside.caller, [record(50), record(51, **fields)])
    assert refused.value.errors[0].message.startswith("CallRecord(): Field '")
    assert ten().total == 10


async def test_a_record_that_ours_would_not_write_so_is_kept_as_it_is_read(core, inside):
    """Fields that are not known are dropped; of one that comes twice the last counts."""
    unknown, again = b"\xfa\x7d\x01x", b"\x2a\x02+2"
    data = record(1, called_number="+1").SerializeToString() + unknown + again
    request = b"\x12" + bytes([len(data)]) + data + unknown
    assert await append_records.append(core, inside.caller, request) == (0, 1)
    [kept] = query_records(core, inside.caller, "pcs/cdr", TableQuery()).records
    assert kept == record(1, called_number="+2")
    assert query_records(
        core, inside.caller, "pcs/cdr", TableQuery(search="called_number:+2")
    ).records == [kept]


@pytest.mark.parametrize(
    "data",
    [
        b"\x12",
        b"\xff" * 20,
        b"\x12\x02\x0a\x05",
        b"\x12"
        + bytes([45])
        + record(1, events="").SerializeToString()[:38]
        + b"\x2a\x05a\xff\xfeb",
    ],
)
async def test_octets_that_are_no_message_are_refused(core, inside, data):
    with pytest.raises(InvalidInput):
        await append_records.append(core, inside.caller, data)
    assert core.records.count("pcs") == 0


async def test_a_batch_has_a_limit(core, inside):
    with pytest.raises(InvalidInput):
        await append(core, inside.caller, [record(1)] * 1001)
    assert await append(core, inside.caller, []) == 0


@pytest.mark.parametrize("parent", ["pcs", "pcs/cdr/a/b/c", "nowhere/cdr"])
async def test_what_is_no_collection_is_refused(ten, parent):
    with pytest.raises(InvalidInput):
        ten(parent)


async def test_another_type_is_no_collection_of_records(ten):
    with pytest.raises(NotFound):
        ten("pcs/number")


async def test_old_records_are_removed_as_the_setting_says(ten, core, inside, owner, cin, clock):
    both = record(20, product=rules_pb2.PRODUCT_UNSPECIFIED)
    await append(core, inside.caller, [both])
    clock.now += 399 * DAY
    await expire_records(core)
    assert (ten().total, ten("cin/cdr").total) == (11, 1)
    await append(core, inside.caller, [record(30)])
    await cin.update("cin/settings/", restworkx={"record_max_days": 0})
    clock.now += 2 * DAY
    await expire_records(core)
    assert (places(ten()), places(ten("cin/cdr"))) == ([30], [20])
    await owner.update("pcs/settings/", restworkx={"record_max_days": 1})
    await expire_records(core)
    assert (ten().total, ten("cin/cdr").total) == (0, 1)


async def test_settings_of_a_former_release_keep_records_as_the_default_does(core):
    key = Key("pcs", "settings", ("",))
    stored = Object.FromString(core.store.get(key))
    stored.settings.restworkx.ClearField("record_max_days")
    core.store.commit(Batch([Put(key, stored.SerializeToString())], lambda revision: b""))
    assert record_days(core, "pcs") == 400
