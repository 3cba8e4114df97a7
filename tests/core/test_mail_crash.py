"""A core that is killed after it answered sends the mail that it owes, once it is started again."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from pathlib import Path
from typing import Any

import grpc
from aiosmtpd.smtp import SMTP

from callscreen.v1 import (
    authentication_pb2,
    authentication_pb2_grpc,
    provisioning_pb2,
    provisioning_pb2_grpc,
    rules_pb2,
)

from .conftest import PASSWORD, obj

OWNERS = "pcs/administrator/platform_owner"
SECONDS = 60  # beyond which it is given up


class Taken(asyncio.Queue[str]):
    """The texts that the mail server took."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        text = message_from_bytes(envelope.content).get_payload(decode=True)
        assert isinstance(text, bytes)
        self.put_nowait(text.decode())
        return "250 OK"


@asynccontextmanager
async def started(data: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, Any, Any]]:
    """A core in a process of its own, and its stubs; killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "callscreen.cli", "core"),
        *("--data", str(data), "--grpc", "127.0.0.1:0"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "CALLSCREEN_ADMIN_PASSWORD": PASSWORD},
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), SECONDS)
        address = line.decode().strip().partition("ready grpc=")[2]
        async with grpc.aio.insecure_channel(address) as channel:
            yield (
                process,
                provisioning_pb2_grpc.ProvisioningStub(channel),
                authentication_pb2_grpc.AuthenticationStub(channel),
            )
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_mail_that_is_owed_is_sent_after_a_kill(tmp_path: Path) -> None:
    away = socket.socket()
    away.bind(("127.0.0.1", 0))  # and does not listen: whoever comes is refused
    server = {"use_email": True, "host": "127.0.0.1", "port": away.getsockname()[1]}
    data = tmp_path / "data"

    async with started(data) as (process, objects, passwords):
        token = (data / "service.token").read_text().strip()
        inside = (("authorization", f"Bearer {token}"),)

        async def create(name: str) -> str:
            body = obj("administrator", username=name, email=f"{name}@example.com")
            request = provisioning_pb2.CreateRequest(parent=OWNERS, object=body)
            return str((await objects.Create(request, metadata=inside)).activation_token)

        await create("joe")
        settings = obj("settings", email_settings=server)
        update = provisioning_pb2.UpdateRequest(name="pcs/settings/", object=settings)
        await objects.Update(update, metadata=inside)
        activation = await create("jane")
        await passwords.Reset(authentication_pb2.ResetRequest(name=f"{OWNERS}/joe"))
        process.send_signal(signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL

    taken = Taken()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: SMTP(taken, hostname="mail.test"), sock=away):
        async with started(data) as (_, _, passwords):
            texts = [await asyncio.wait_for(taken.get(), SECONDS) for _ in range(2)]
            tokens = [text.split()[-1].partition("/pcs/password#")[2] for text in texts]
            assert activation in tokens
            for each in tokens:
                request = authentication_pb2.RedeemRequest(
                    product=rules_pb2.PCS, token=each, password="long enough"
                )
                await passwords.Redeem(request)
            for name in ("jane", "joe"):
                login = authentication_pb2.AuthenticateRequest(
                    product=rules_pb2.PCS, username=name, password="long enough"
                )
                assert (await passwords.Authenticate(login)).token
        assert taken.empty()
