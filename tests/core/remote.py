"""Calls over gRPC, as an internal service or as an administrator."""

from collections.abc import Awaitable
from typing import Any

import grpc
import pytest

from callscreen.v1 import (
    authentication_pb2,
    authentication_pb2_grpc,
    provisioning_pb2,
    provisioning_pb2_grpc,
    rules_pb2,
)

from .conftest import PASSWORD, obj


def provisioning(server):
    return provisioning_pb2_grpc.ProvisioningStub(server.channel)


async def log_in(server, product="pcs", password=PASSWORD):
    stub = authentication_pb2_grpc.AuthenticationStub(server.channel)
    answer = await stub.Authenticate(
        authentication_pb2.AuthenticateRequest(
            product=rules_pb2.Product.Value(product.upper()),
            username=f"{product}_administrator",
            password=password,
        )
    )
    return answer, (("authorization", f"Bearer {answer.token}"),)


async def create(server, parent, **fields):
    body = obj(parent.split("/")[1], **fields)
    request = provisioning_pb2.CreateRequest(parent=parent, object=body)
    return await provisioning(server).Create(request, metadata=server.service)


async def fill(server):
    await create(server, "pcs/service_provider", name="acme")
    await create(server, "pcs/subscriber/acme", name="alice")
    await create(server, "pcs/number/acme/alice", number="+15855550001")


async def refused(call: Awaitable[Any]) -> grpc.aio.AioRpcError:
    """The error that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value
