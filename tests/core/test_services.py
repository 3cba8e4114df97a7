"""The services over gRPC, on LMDB."""

import asyncio

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from callscreen.core.commands import screen
from callscreen.core.server import SERVICES
from callscreen.core.services import status
from callscreen.core.services.registry import OPEN, OPTIONAL
from callscreen.schema import FieldError, Invalid
from callscreen.v1 import (
    authentication_pb2,
    authentication_pb2_grpc,
    provisioning_pb2,
    records_pb2,
    records_pb2_grpc,
    replication_pb2,
    replication_pb2_grpc,
    rules_pb2,
    screening_pb2,
    screening_pb2_grpc,
)

from .conftest import obj
from .remote import create, fill, log_in, provisioning, refused

pb = provisioning_pb2
NAMES = [descriptor.full_name for descriptor, _ in SERVICES]
METHODS = [method for descriptor, _ in SERVICES for method in descriptor.methods]


# What the client's library makes of a refusal that crosses a message still being sent.
CROSSED = "Internal error from Core"


def raw(server, method, octets, metadata):
    """Calls a method with octets as its message, whatever its kind; the error it ends with."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    if method.client_streaming:
        call = server.channel.stream_stream(path)(iter([octets]), metadata=metadata)
        return refused(call.read())
    if method.server_streaming:
        return refused(server.channel.unary_stream(path)(octets, metadata=metadata).read())
    return refused(server.channel.unary_unary(path)(octets, metadata=metadata))


def details_of(error):
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            return status_pb2.Status.FromString(value)
    raise AssertionError("no details")


def detail(error, kind):
    for packed in details_of(error).details:
        found = kind()
        if packed.Unpack(found):
            return found
    raise AssertionError("no such detail")


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
async def test_every_method_but_the_open_ones_needs_a_token(server, method):
    if method.name in OPEN:
        return
    for metadata in (
        (),
        (("authorization", "Bearer x"),),
        (("authorization", f"Basic {server.token}"),),
        (("authorization", server.token),),
        (("authorization-bin", b"\xff"),),
    ):
        shown = metadata and metadata[0][0] == "authorization"
        error = await raw(server, method, b"", metadata)
        while error.details() == CROSSED:
            error = await raw(server, method, b"", metadata)
        if method.name in OPTIONAL and not shown:
            assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        else:
            assert error.code() is grpc.StatusCode.UNAUTHENTICATED


def test_the_open_methods_are_those_that_lead_to_a_token_or_a_password():
    assert ({"Authenticate", "Redeem"}, {"Reset"}) == (OPEN, OPTIONAL)
    assert {method.name for method in METHODS} > OPEN | OPTIONAL


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
async def test_octets_that_are_no_message_are_the_caller_s_fault(server, method):
    for octets in (b"\xff" * 9, b"\x0a\x05a", b"\x0b"):
        error = await raw(server, method, octets, server.service)
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert error.details() == "The message cannot be decoded."


async def test_a_refused_field_is_named_in_the_details(server):
    error = await refused(create(server, "pcs/service_provider", last_name="x"))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == "ServiceProvider(): Field 'name' is required, but missing."
    violation = detail(error, error_details_pb2.BadRequest).field_violations[0]
    assert (violation.field, violation.reason) == ("name", "required")
    assert violation.description == error.details()
    info = detail(error, error_details_pb2.ErrorInfo)
    assert (info.domain, info.reason) == ("callscreen", "INVALID_INPUT")


def test_a_unique_value_is_a_conflict_unless_something_is_wrong_besides():
    unique = FieldError("username", "unique", "Administrator(): Field 'username' must be unique.")
    wrong = FieldError("email", "format", "Administrator(): Field 'email' is wrong.")
    for errors, code in (
        ([unique], grpc.StatusCode.ALREADY_EXISTS),
        ([unique, wrong], grpc.StatusCode.INVALID_ARGUMENT),
        ([], grpc.StatusCode.INVALID_ARGUMENT),
    ):
        found, told = status.to_status(Invalid(errors))
        assert found is code
        bad = error_details_pb2.BadRequest()
        assert any(each.Unpack(bad) for each in told.details) is bool(errors)
        assert [each.field for each in bad.field_violations] == [each.field for each in errors]


async def test_many_refused_fields_still_fit(server):
    wrong = ["no number " * 20] * 5000
    error = await refused(create(server, "pcs/service_provider", name="a", whitelist=wrong))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert len(detail(error, error_details_pb2.BadRequest).field_violations) > 5


async def test_what_is_not_there_is_not_found(server):
    for name, request in {"Get": pb.GetRequest, "Delete": pb.DeleteRequest}.items():
        stub = getattr(provisioning(server), name)
        asked = request(name="pcs/service_provider/x")
        error = await refused(stub(asked, metadata=server.service))
        assert error.code() is grpc.StatusCode.NOT_FOUND
        assert detail(error, error_details_pb2.ErrorInfo).reason == "NOT_FOUND"


async def test_each_error_has_its_code(server):
    await fill(server)
    stub = provisioning(server)
    taken = await refused(create(server, "pcs/service_provider", name="acme"))
    assert taken.code() is grpc.StatusCode.ALREADY_EXISTS
    stale = pb.DeleteRequest(name="pcs/service_provider/acme", expected_revision=999)
    error = await refused(stub.Delete(stale, metadata=server.service))
    assert error.code() is grpc.StatusCode.ABORTED
    _, metadata = await log_in(server, "cin")
    denied = pb.DeleteRequest(name="pcs/service_provider/acme")
    error = await refused(stub.Delete(denied, metadata=metadata))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert error.details() == "You do not have permission to perform that operation."


async def test_a_fault_of_ours_is_told_without_its_cause(server, monkeypatch, caplog):
    def broken(*given):
        raise RuntimeError("the cause")

    monkeypatch.setattr(screen, "screen", broken)
    stub = screening_pb2_grpc.ScreeningStub(server.channel)
    request = screening_pb2.ScreenRequest(call={})
    error = await refused(stub.Screen(request, metadata=server.service))
    assert (error.code(), error.details()) == (grpc.StatusCode.INTERNAL, "internal error")
    assert "the cause" not in str(error.trailing_metadata())
    assert "the cause" in caplog.text


def test_every_leaf_has_a_code():
    from callscreen.core import errors
    from callscreen.core.store import contract

    leaves = errors.CallscreenError.__subclasses__()
    ours = [leaf for leaf in leaves if leaf.__module__ == errors.__name__]
    assert {status.code_of(leaf()) for leaf in ours} == set(status.CODES.values())
    assert status.code_of(contract.StoreFull()) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert status.code_of(contract.NotLeader()) is grpc.StatusCode.UNAVAILABLE


async def test_logging_in_and_out(server, clock):
    answer, metadata = await log_in(server)
    assert answer.expire_time.seconds == int(clock.now) + 24 * 3600
    stub = authentication_pb2_grpc.AuthenticationStub(server.channel)
    who = await stub.WhoAmI(authentication_pb2.WhoAmIRequest(), metadata=metadata)
    assert (who.username, who.role_id) == ("pcs_administrator", "platform_owner")
    assert list(who.permissions) == ["default:platform_owner"]
    assert who.product == rules_pb2.PCS
    inside = await stub.WhoAmI(authentication_pb2.WhoAmIRequest(), metadata=server.service)
    assert (inside.product, inside.role_id) == (rules_pb2.PRODUCT_UNSPECIFIED, "")
    assert not inside.permissions
    await stub.SetPassword(
        authentication_pb2.SetPasswordRequest(
            name="cin/administrator/platform_owner/cin_administrator", password="a new one"
        ),
        metadata=server.service,
    )
    await log_in(server, "cin", "a new one")
    await stub.Revoke(authentication_pb2.RevokeRequest(), metadata=metadata)
    error = await refused(stub.WhoAmI(authentication_pb2.WhoAmIRequest(), metadata=metadata))
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    error = await refused(log_in(server, password="wrong"))
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert error.details() == "The username and password provided were not correct."


async def test_a_change_is_in_force_when_it_is_answered(server):
    await fill(server)
    stub = screening_pb2_grpc.ScreeningStub(server.channel)
    request = screening_pb2.ScreenRequest(call={"called": "+15855550001"})
    for enabled in (False, True, False):
        changed = await provisioning(server).Update(
            pb.UpdateRequest(
                name="pcs/subscriber/acme/alice",
                object=obj("subscriber", service_enabled=enabled),
            ),
            metadata=server.service,
        )
        verdict = (await stub.Screen(request, metadata=server.service)).verdict
        assert (verdict.reason == "service_off") is not enabled
        assert verdict.revision == changed.revision


async def test_batches_are_answered_in_order(server):
    await fill(server)
    stub = screening_pb2_grpc.ScreeningStub(server.channel)
    calls = [screening_pb2.Call(called=f"+1585555{n:04}") for n in range(1000)]

    async def batches():
        for start in range(0, 1000, 100):
            yield screening_pb2.ScreenBatchRequest(calls=calls[start : start + 100])

    stream = stub.ScreenBatches(batches(), metadata=server.service)
    verdicts = [each async for answer in stream for each in answer.verdicts]
    assert [each.called_number for each in verdicts] == [each.called for each in calls]
    assert verdicts[1].subscriber_name == "alice"
    many = screening_pb2.ScreenBatchRequest(calls=[screening_pb2.Call()] * 1001)
    error = await refused(stub.ScreenBatches(iter([many]), metadata=server.service).read())
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_an_explanation_ends_with_the_verdict(server):
    await fill(server)
    stub = screening_pb2_grpc.ScreeningStub(server.channel)
    request = screening_pb2.ExplainRequest(call={"called": "+15855550001"})
    answer = await stub.Explain(request, metadata=server.service)
    assert answer.lines[-1].startswith(f"Verdict: {answer.verdict.treatment}")


async def test_a_bulk_stream_answers_each_batch_in_order_and_outlives_a_refused_one(server):
    def batches():
        for place in range(30):
            names = [f"p{place}-{n}" for n in range(20)]
            objects = [obj("service_provider", name=name) for name in names]
            if place == 7:
                objects.append(obj("service_provider"))
            yield pb.WriteRequest(id=place, parent="pcs/service_provider", objects=objects)

    stream = provisioning(server).Write(batches(), metadata=server.service)
    answers = [answer async for answer in stream]
    assert [answer.id for answer in answers] == list(range(30))
    assert [answer.id for answer in answers if not answer.revision] == [7]
    assert answers[7].errors[0].index == 20
    revisions = [answer.revision for answer in answers if answer.revision]
    assert revisions == sorted(set(revisions))
    listed = await provisioning(server).List(
        pb.ListRequest(parent="pcs/service_provider", page_size=0), metadata=server.service
    )
    assert listed.total_size == 29 * 20


async def test_a_client_that_goes_away_harms_nobody(server):
    async def endless():
        for place in range(1000):
            yield pb.WriteRequest(
                id=place,
                parent="pcs/service_provider",
                objects=[obj("service_provider", name=f"p{place}")],
            )

    stream = provisioning(server).Write(endless(), metadata=server.service)
    await stream.read()
    stream.cancel()
    await create(server, "pcs/service_provider", name="after")


async def test_records_are_answered_when_durable_and_found(server):
    stub = records_pb2_grpc.RecordsStub(server.channel)
    cdr_id = "01900000-0000-7000-8000-00000000000{}"
    sent = [
        records_pb2.AppendRequest(id=n, records=[{"cdr_id": cdr_id.format(n), "product": 1}])
        for n in (1, 2, 3)
    ]
    stream = stub.Append(iter([*sent, *sent]), metadata=server.service)
    assert [answer.id async for answer in stream] == [1, 2, 3, 1, 2, 3]
    request = records_pb2.QueryRequest(parent="pcs/cdr", page_size=2)
    page = await stub.Query(request, metadata=server.service)
    assert (len(page.records), page.total_size) == (2, 3)
    request.page_token = page.next_page_token
    page = await stub.Query(request, metadata=server.service)
    assert [each.cdr_id for each in page.records] == [cdr_id.format(1)]


async def test_an_edge_s_way_snapshot_then_watch(server):
    await fill(server)
    stub = replication_pb2_grpc.ReplicationStub(server.channel)
    chunks = [
        chunk
        async for chunk in stub.Snapshot(replication_pb2.SnapshotRequest(), metadata=server.service)
    ]
    token = getattr(chunks[-1], "from")
    assert chunks[-1].complete >= token.revision
    assert sum(len(chunk.objects) for chunk in chunks) == 5
    watch = stub.Watch(replication_pb2.WatchRequest(after=token), metadata=server.service)
    await create(server, "pcs/subscriber/acme", name="bob")
    change = await asyncio.wait_for(watch.read(), 20)
    assert change.revision == token.revision + 1
    assert change.mutations[0].put.subscriber.name == "bob"
    watch.cancel()
    token.revision = 10**6
    error = await refused(
        stub.Watch(replication_pb2.WatchRequest(after=token), metadata=server.service).read()
    )
    assert error.code() is grpc.StatusCode.OUT_OF_RANGE


async def test_a_message_far_beyond_grpc_s_default_passes(server):
    entries = [f"+1{n:010}" for n in range(200_000)]
    made = await create(server, "pcs/service_provider", name="big", blacklist=entries)
    assert len(made.service_provider.blacklist) == len(entries)
