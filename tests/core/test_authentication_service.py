"""Authentication over gRPC, from a new administrator to its session."""

import grpc
from google.rpc import error_details_pb2

from callscreen.v1 import authentication_pb2, authentication_pb2_grpc, rules_pb2

from .remote import create, refused
from .test_services import detail


async def test_a_new_administrator_s_way_from_its_creation_to_its_session(server, clock):
    stub = authentication_pb2_grpc.AuthenticationStub(server.channel)
    name = "pcs/administrator/platform_owner/jane"
    made = await create(server, "pcs/administrator/platform_owner", username="jane")
    redeem = authentication_pb2.RedeemRequest(
        product=rules_pb2.PCS, token=made.activation_token, password="long enough"
    )
    await stub.Redeem(redeem)
    again = await refused(stub.Redeem(redeem))
    assert again.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert detail(again, error_details_pb2.BadRequest).field_violations[0].field == "token"
    login = await stub.Authenticate(
        authentication_pb2.AuthenticateRequest(
            product=rules_pb2.PCS, username="jane", password="long enough", session=True
        )
    )
    assert login.session_expire_time.seconds == int(clock.now) + 14 * 24 * 3600
    session = (("authorization", f"Bearer {login.session_token}"),)
    who = await stub.WhoAmI(authentication_pb2.WhoAmIRequest(), metadata=session)
    assert who.username == "jane"
    asked = authentication_pb2.ResetRequest(name=name)
    assert await stub.Reset(asked) == authentication_pb2.ResetResponse()
    issued = await stub.Reset(asked, metadata=session)
    assert issued.expire_time.seconds == int(clock.now) + 30 * 60
    assert issued.token
    bad = (("authorization", "Bearer x"),)
    error = await refused(stub.Reset(asked, metadata=bad))
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
