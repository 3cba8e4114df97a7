"""Asking the core from the command line, and its answers in words."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from .ops.grpc_tls import ClientTls
from .ops.transport import advised, open_blocking
from .schema import format_name
from .v1 import (
    authentication_pb2,
    authentication_pb2_grpc,
    maintenance_pb2,
    maintenance_pb2_grpc,
    rules_pb2,
    screening_pb2,
    screening_pb2_grpc,
)

__all__ = [
    "AskError",
    "core_at",
    "credentials",
    "explain",
    "set_password",
    "take_backup",
]

SECONDS = 10.0  # for an answer
PRODUCTS = {
    "both": rules_pb2.PRODUCT_UNSPECIFIED,
    "pcs": rules_pb2.PCS,
    "cin": rules_pb2.CIN,
}


class AskError(Exception):
    """The core did not answer, or refused; the text says which."""


def credentials(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata that carries a token."""
    return (("authorization", f"Bearer {token}"),)


@contextmanager
def core_at(address: str, tls: ClientTls) -> Iterator[grpc.Channel]:
    """A channel to the core.

    Raises:
        AskError: the core is not there, refuses what the block asks, or its certificates cannot be
            used.
    """
    try:
        channel = open_blocking(address, tls)
    except (OSError, ValueError) as error:
        raise AskError(str(error)) from None
    with channel:
        try:
            yield channel
        except grpc.RpcError as error:
            raise AskError(refusal(error, address)) from None


def refusal(error: grpc.RpcError, address: str) -> str:
    """Why the core was not there, or refused."""
    details = advised(error.details() or str(error.code()))
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        return f"the core at {address}: {details}"
    return details


def explain(
    address: str,
    tls: ClientTls,
    token: str,
    called: str,
    calling: str,
    anonymous: bool,
    source: str,
    products: str,
) -> Iterator[str]:
    """The verdict on a call and its trace, a line each.

    Raises:
        AskError: the core is not there, or refuses the question.
    """
    call = screening_pb2.Call(
        product=PRODUCTS[products],
        called=called,
        calling=calling,
        anonymous=anonymous,
        source_ip=source,
    )
    with core_at(address, tls) as channel:
        stub = screening_pb2_grpc.ScreeningStub(channel)
        answer = stub.Explain(
            screening_pb2.ExplainRequest(call=call), metadata=credentials(token), timeout=SECONDS
        )
    verdict = answer.verdict
    yield f"{verdict.treatment}: {verdict.reason}"
    yield f"  from {verdict.calling_number or 'no number'} to {verdict.called_number or called}"
    if verdict.service_provider_name:
        owner = f"{verdict.service_provider_name}/{verdict.subscriber_name}".rstrip("/")
        yield f"  {rules_pb2.Product.Name(verdict.product).lower()} {owner}"
    yield f"  revision {verdict.revision}"
    for number, line in enumerate(answer.lines, start=1):
        yield f"  {number}. {line}"


def take_backup(
    address: str, tls: ClientTls, token: str, records: bool, seconds: float
) -> Iterator[bytes]:
    """A backup in pieces, which may take so many seconds.

    Raises:
        AskError: the core is not there, or refuses.
    """
    with core_at(address, tls) as channel:
        stub = maintenance_pb2_grpc.MaintenanceStub(channel)
        request = maintenance_pb2.BackupRequest(without_records=not records)
        for chunk in stub.Backup(request, metadata=credentials(token), timeout=seconds):
            yield chunk.data


def set_password(
    address: str,
    tls: ClientTls,
    token: str,
    product: str,
    role_id: str,
    username: str,
    password: str,
) -> None:
    """Gives an administrator a password.

    Raises:
        AskError: the core is not there, knows no such administrator, or refuses the password.
    """
    request = authentication_pb2.SetPasswordRequest(
        name=format_name(product, "administrator", (role_id, username)), password=password
    )
    with core_at(address, tls) as channel:
        stub = authentication_pb2_grpc.AuthenticationStub(channel)
        stub.SetPassword(request, metadata=credentials(token), timeout=SECONDS)
