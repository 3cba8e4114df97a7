"""Every table query on call records gives what a scan of all of them gives, page by page."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callscreen.core.commands.append_records import arrived_of, batch_of
from callscreen.core.commands.query_records import query
from callscreen.core.store import record_runs, record_writing
from callscreen.core.store.lmdb_records import LmdbRecords
from callscreen.fastpath.rows_types import ROW
from callscreen.schema.query import compile_query
from callscreen.schema.records import RECORD_COLUMNS, record_row
from callscreen.v1.provisioning_pb2 import TableQuery
from callscreen.v1.records_pb2 import AppendRequest
from callscreen.v1.screening_pb2 import CallRecord

OWNERS = [("acme", "alice"), ("acme", "bob"), ("zeta", "alice"), ("", ""), ("acme", "")]
NUMBERS = ["+15855550001", "+15855550002", ""]


def made(place, owner, called, calling, start, end):
    record = CallRecord(
        cdr_id=str(UUID(int=place * 7919 % 101 << 64)),
        product=1,
        called_number=NUMBERS[called],
        calling_number=NUMBERS[calling],
        service_provider_name=OWNERS[owner][0],
        subscriber_name=OWNERS[owner][1],
        events=f"0:invite;{place % 5}:answer",
    )
    for field, at in (("start_time", start), ("end_time", end)):
        if at is not None:
            getattr(record, field).FromMilliseconds(1_700_000_000_000 + at * 250)
    return record


TIME = st.integers(0, 40)
RECORDS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 2), TIME, st.none() | TIME),
    min_size=5,
    max_size=30,
).map(lambda all: [made(place, *each) for place, each in enumerate(all)])
MOMENT = st.integers(-1, 11).map(
    lambda n: f"2023-11-14T22:13:{20 + n}Z" if n % 3 else f"2023-11-14T22:13:{20 + n}.250Z"
)
TERM = st.one_of(
    st.sampled_from(
        [
            "service_provider_name:acme",
            "service_provider_name:zeta",
            "service_provider_name:",
            "subscriber_name:alice",
            "subscriber_name:",
            "called_number:+15855550001",
            "called_number:5855550002",
            "called_number:15855550000:15855550002",
            "called_number:",
            "calling_number: 15855550001",
            "events:0:invite;1:answer",
            f"cdr_id:{UUID(int=7919 % 101 << 64)}",
            "cdr_id:nothing",
            "start_time:2023-11-14",
            "end_time:2023-11-14T22:13",
            "start_time:1969-01-01:9999-12-31",
        ]
    ),
    st.tuples(st.sampled_from(["start_time", "end_time"]), MOMENT).map(":".join),
    st.tuples(st.sampled_from(["start_time", "end_time"]), MOMENT, MOMENT).map(":".join),
)
QUERY = st.fixed_dictionaries(
    {
        "search": (st.lists(TERM, max_size=3) | TERM.map(lambda term: [term])).map(",".join),
        "sort": st.sampled_from(
            ["", "", "cdr_id asc", "cdr_id:desc,events", "start_time des", "end_time,events:desc"]
        ),
        "like": st.sampled_from(["", "", "", "", "0001", "alice"]),
        "icontains": st.sampled_from(["", "", "", "", "subscriber_name:LI", "called_number:2"]),
        "sort_function": st.sampled_from(["", "", "", "", "events:natural:desc"]),
    }
)
SCOPES = [(), (), ("acme",), ("acme", "alice"), ("zeta", "alice"), ("nobody", "alice")]


def scanned(records, scope, table):
    """What the query means: every record looked at, newest first."""
    compiled = compile_query(table, RECORD_COLUMNS["pcs"], "1")
    kept = [
        each
        for each in sorted(records, key=lambda each: each.cdr_id, reverse=True)
        if (each.service_provider_name, each.subscriber_name)[: len(scope)] == scope
        and compiled.matches(record_row(each))
    ]
    return compiled.order(kept, record_row)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(record_writing, "SEGMENT_ROWS", 6)
    monkeypatch.setattr(record_writing, "CHUNK_POSTINGS", 2)
    monkeypatch.setattr(record_runs, "FEW", 2)
    for module in (record_runs, record_writing):
        monkeypatch.setattr(module, "CHUNK_ROWS", 3)
        monkeypatch.setattr(module, "CHUNK", 3 * ROW)


@settings(
    max_examples=90, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(RECORDS, st.integers(1, 9), QUERY, st.sampled_from(SCOPES), st.integers(0, 5))
async def test_a_query_is_a_scan(
    core, inside, small, tmp_path_factory, records, batch, asked, scope, skip
):
    store = LmdbRecords(tmp_path_factory.mktemp("records"))
    try:
        for start in range(0, len(records), batch):
            request = AppendRequest(records=records[start : start + batch])
            store.append(arrived_of(batch_of(request.SerializeToString(), store.key)))
        own, table = replace(core, records=store), TableQuery(**asked)
        parent = "/".join(("pcs", "cdr", *scope))
        expected = scanned(records, scope, table)
        seen, token = [], ""
        while True:
            page = query(own, inside.caller, parent, table, 4, token)
            assert page.total == len(expected)
            seen += page.records
            token = page.next_page_token
            if not token:
                break
        assert seen == expected
        whole = query(own, inside.caller, parent, table, 1000, "", skip)
        assert (whole.records, whole.total) == (expected[skip:], len(expected))
        assert query(own, inside.caller, parent, table, 0).total == len(expected)
    finally:
        store.close()


async def test_the_first_page_of_records_without_limit_is_of_ten(core, inside):
    records = [made(place, 0, 0, 1, place, None) for place in range(25)]
    data = AppendRequest(records=records).SerializeToString()
    core.records.append(arrived_of(batch_of(data, core.records.key)))
    page = query(core, inside.caller, "pcs/cdr", TableQuery())
    assert (len(page.records), page.total) == (10, 25)
