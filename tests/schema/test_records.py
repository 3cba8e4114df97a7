"""Call records and times as the references show them."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from callscreen.schema import (
    PRODUCTS,
    RECORD_COLUMNS,
    compile_query,
    iso,
    record_row,
    record_to_json,
    stamps_to_json,
)
from callscreen.v1 import object_pb2, provisioning_pb2, rules_pb2, screening_pb2

PCS_FIELDS = [
    "cdr_id",
    "start_time",
    "end_time",
    "additional_data",
    "called_number",
    "calling_number",
    "service_provider_name",
    "subscriber_name",
    "events",
]
CIN_FIELDS = [
    "cdr_id",
    "start_time",
    "end_time",
    "additional_data",
    "service_provider_name",
    "subscriber_name",
    "called_party",
    "calling_party",
    "events",
]


def record() -> screening_pb2.CallRecord:
    step = screening_pb2.Step(
        rule="blacklist",
        input="+15550001111",
        entry="+1555*",
        scope="subscriber",
        outcome="match",
        treatment="terminate",
    )
    return screening_pb2.CallRecord(
        cdr_id="0198",
        product=rules_pb2.PCS,
        start_time=Timestamp(seconds=1_767_268_800, nanos=250_999_999),
        end_time=Timestamp(seconds=1_767_268_801),
        called_number="+15855551234",
        calling_number="+15550001111",
        service_provider_name="acme",
        subscriber_name="alice",
        events="0:invite;1:blacklist:match",
        verdict=screening_pb2.Verdict(
            treatment="terminate",
            reason="blacklist",
            product=rules_pb2.PCS,
            trace=[step],
            revision=7,
        ),
        call_id="abc@host",
        status=603,
    )


@pytest.mark.parametrize(("product", "names"), [("pcs", PCS_FIELDS), ("cin", CIN_FIELDS)])
def test_a_record_has_the_documented_fields(product: str, names: list[str]) -> None:
    document = record_to_json(record(), product)
    assert list(document) == names
    assert document["start_time"] == "2026-01-01T12:00:00.250Z"
    assert document["end_time"] == "2026-01-01T12:00:01.000Z"
    assert [column.name for column in RECORD_COLUMNS[product]] == [
        name for name in names if name != "additional_data"
    ]


def test_a_record_says_why() -> None:
    (trace,) = record_to_json(record(), "pcs")["additional_data"]
    assert trace["treatment"] == "terminate"
    assert trace["revision"] == 7
    assert trace["product"] == "pcs"
    assert trace["status"] == 603
    assert trace["trace"] == [
        {
            "rule": "blacklist",
            "input": "+15550001111",
            "entry": "+1555*",
            "scope": "subscriber",
            "outcome": "match",
            "treatment": "terminate",
        }
    ]


@pytest.mark.parametrize("product", PRODUCTS)
def test_an_empty_record_is_shown_too(product: str) -> None:
    document = record_to_json(screening_pb2.CallRecord(), product)
    assert document["start_time"] is None
    assert document["service_provider_name"] is None


@pytest.mark.parametrize("product", PRODUCTS)
def test_records_answer_table_queries(product: str) -> None:
    called = "called_number" if product == "pcs" else "called_party"
    query = provisioning_pb2.TableQuery(
        search=f"{called}:+15855551234,start_time:2026-01-01T12:00:00Z:2026-01-01T12:00:01Z",
        like="blacklist",
        sort="start_time:desc",
    )
    asked = compile_query(query, RECORD_COLUMNS[product])
    assert asked.matches(record_row(record()))
    assert not asked.matches(record_row(screening_pb2.CallRecord()))
    for column in RECORD_COLUMNS[product]:
        assert record_row(record())(column.name) is not None


def test_times() -> None:
    assert iso(Timestamp()) == "1970-01-01T00:00:00.000Z"
    assert iso(Timestamp(seconds=-1, nanos=1)) == "1969-12-31T23:59:59.000Z"


def test_stamps() -> None:
    stamps = object_pb2.Stamps(created_by="john", created=Timestamp(seconds=1))
    assert stamps_to_json(stamps) == {
        "modified_by": None,
        "modified": None,
        "created_by": "john",
        "created": "1970-01-01T00:00:01.000Z",
    }
