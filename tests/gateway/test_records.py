"""Call records as the references show them."""

from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from callscreen.v1.records_pb2 import AppendRequest
from callscreen.v1.records_pb2_grpc import RecordsStub
from callscreen.v1.rules_pb2 import CIN, PCS
from callscreen.v1.screening_pb2 import CallRecord, Step, Verdict

from .conftest import Caller

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIELDS = {
    "pcs": "cdr_id start_time end_time additional_data called_number calling_number"
    " service_provider_name subscriber_name events",
    "cin": "cdr_id start_time end_time additional_data service_provider_name subscriber_name"
    " called_party calling_party events",
}


def record(product: int, place: int) -> CallRecord:
    """A call of one of two subscribers, a second after the one before."""
    made = CallRecord(
        cdr_id=f"01890000-0000-7000-8000-{product:06}{place:06}",
        product=product,  # type: ignore[arg-type]
        called_number="+15850000000",
        calling_number=f"+1585555000{place}",
        service_provider_name="acme",
        subscriber_name=("alice", "bob")[place % 2],
        events="0:invite;3:blacklist:match",
        verdict=Verdict(
            treatment="terminate",
            reason="blacklist",
            trace=[Step(rule="blacklist", outcome="match", treatment="terminate")],
            revision=7,
        ),
        call_id="a@b",
        source_ip="192.0.2.1",
        status=603,
        edge="edge-1",
    )
    made.start_time.FromSeconds(1_700_000_000 + place)
    made.end_time.FromMilliseconds(1_700_000_000_500 + place * 1000)
    return made


@pytest_asyncio.fixture(loop_scope="module", scope="module", autouse=True)
async def appended(core: tuple[str, Path], channel: grpc.aio.Channel) -> None:
    token = (core[1] / "service.token").read_text().strip()

    async def batches():  # type: ignore[no-untyped-def]
        for number, product in enumerate((PCS, CIN)):
            records = [record(product, place) for place in range(4)]
            yield AppendRequest(id=number, records=records)

    metadata = (("authorization", f"Bearer {token}"),)
    stream = RecordsStub(channel).Append(batches(), metadata=metadata)
    assert [answer.id async for answer in stream] == [0, 1]


async def test_a_record_has_the_documented_fields_in_their_order(owner: Caller) -> None:
    answer = await owner.get(f"{owner.product}_cdr?sort=start_time:asc&limit=1")
    assert answer["meta"]["records_total"] == 4
    row = answer["data"][0]
    assert row["scope"] == f"{owner.product}_cdr"
    found = row["attributes"]
    assert list(found) == FIELDS[owner.product].split()
    assert found["start_time"] == "2023-11-14T22:13:20.000Z"
    assert found["end_time"] == "2023-11-14T22:13:20.500Z"
    assert found["events"] == "0:invite;3:blacklist:match"
    calling = "calling_number" if owner.product == "pcs" else "calling_party"
    assert found[calling] == "+15855550000"


async def test_a_record_says_why(owner: Caller) -> None:
    answer = await owner.get("cdr?limit=1")
    [trace] = answer["data"][0]["attributes"]["additional_data"]
    assert (trace["treatment"], trace["reason"], trace["revision"]) == ("terminate", "blacklist", 7)
    assert (trace["status"], trace["call_id"], trace["edge"]) == (603, "a@b", "edge-1")
    assert trace["trace"] == [
        {
            "rule": "blacklist",
            "input": "",
            "entry": "",
            "scope": "",
            "outcome": "match",
            "treatment": "terminate",
        }
    ]


@pytest.mark.parametrize(
    ("path", "total"), [("", 4), ("/acme", 4), ("/acme/alice", 2), ("/acme/eve", 0), ("/other", 0)]
)
async def test_records_are_those_of_the_path(owner: Caller, path: str, total: int) -> None:
    for name in (f"{owner.product}_cdr", "cdr"):
        assert (await owner.get(name + path))["meta"]["records_total"] == total


async def test_records_are_searched_and_ordered(owner: Caller) -> None:
    query = "sort=start_time%20DES&search=start_time:2023-11-14T22:13:20Z:2023-11-14T22:13:23Z"
    rows = (await owner.get(f"cdr?{query}"))["data"]
    assert [row["attributes"]["start_time"][17:19] for row in rows] == ["22", "21"]


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("search={calling}:%2B15855550001", 1),
        ("search={calling}:5855550001,service_provider_name:acme", 1),
        ("search={called}:%2B15850000000", 4),
        ("search=subscriber_name:bob", 2),
        ("search=service_provider_name:other", 0),
        ("search=start_time:2023-11-14T22:13:21Z", 1),
        ("search=end_time:2023-11-14T22:13:21Z:2023-11-14T22:13:23Z", 2),
        ("search=cdr_id:01890000-0000-7000-8000-000001000002", None),
        ("icontains=events:BLACKLIST&limit=1", 4),
    ],
)
async def test_a_search_counts_what_matches(owner: Caller, query: str, total: int | None) -> None:
    if total is None:  # the identifier says the product
        total = int(owner.product == "pcs")
    called, calling = (
        ("called_number", "calling_number")
        if owner.product == "pcs"
        else ("called_party", "calling_party")
    )
    answer = await owner.get(f"cdr?{query.format(called=called, calling=calling)}")
    assert answer["meta"]["records_total"] == total
    assert len(answer["data"]) == min(total, 1 if "limit=1" in query else 10)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_records_are_only_read(owner: Caller, method: str) -> None:
    answer = await owner.send(method, "cdr")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
