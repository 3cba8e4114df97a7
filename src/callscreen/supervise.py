"""One process tree: the core, then the gateway and the edge beside it.

1. A child says `ready <key>=<address>` on its standard output when it answers; all else it prints
   is passed on.
2. A child that dies after that is started again at the same address, with a back-off. One that dies
   before ends the whole: a wrong option shows at once.
3. No child outlives its parent: each ends when its standard input closes, however the parent ended.
4. A stop ends the gateway and the edge, then the core, within STOP_SECONDS; what is left then is
   killed.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Child", "ChildFailed", "supervise", "wait_for_parent"]

READY_SECONDS = 60.0  # for a child to answer: a large index takes a while to load
STOP_SECONDS = 4.0  # for all children together
RESTART_SECONDS = (
    0.2,
    5.0,
)  # pause before a child is started again: first, and longest where it never answers
LINE_BYTES = 64 * 1024  # of a child's output

log = logging.getLogger("callscreen.serve")


class ChildFailed(Exception):
    """A child ended before it answered."""


@dataclass
class Child:
    """A part to run: its name, the key of its ready line, and its command line by address."""

    name: str
    key: str
    address: str
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None

    async def start(self, emit: Callable[[str], None]) -> None:
        """Runs the part and waits until it answers.

        Raises:
            ChildFailed: it ended, or did not answer within READY_SECONDS.
        """
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "callscreen", self.name),
            *(f"--{self.key}", self.address, *self.options),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
            env={**os.environ, **self.environment, "CALLSCREEN_PARENT": "stdin"},
        )
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.output = asyncio.create_task(self._read(ready, emit))
        try:
            self.address = await asyncio.wait_for(ready, READY_SECONDS)
        except TimeoutError:
            await self.stop(0)
            raise ChildFailed(f"{self.name} did not answer within {READY_SECONDS:g} s") from None

    async def _read(self, ready: asyncio.Future[str], emit: Callable[[str], None]) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        prefix = f"ready {self.key}="
        async for raw in self.process.stdout:
            line = raw.decode(errors="replace").rstrip("\n")
            if not line.startswith(prefix):
                emit(line)
            elif not ready.done():
                ready.set_result(line.removeprefix(prefix))
        code = await self.process.wait()
        if not ready.done():
            ready.set_exception(ChildFailed(f"{self.name} ended with status {code}"))

    async def stop(self, seconds: float) -> None:
        """Asks the part to end, and kills it after `seconds`."""
        if self.process is None or self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), seconds)
        except TimeoutError:
            log.warning("%s did not end in time and is killed", self.name)
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


async def _keep(child: Child, emit: Callable[[str], None]) -> None:
    """Starts a child again whenever it ends."""
    pause = RESTART_SECONDS[0]
    while True:
        assert child.process is not None
        code = await child.process.wait()
        log.error("%s ended with status %s, starts again in %.1f s", child.name, code, pause)
        await asyncio.sleep(pause)
        try:
            await child.start(emit)
            pause = RESTART_SECONDS[0]
        except ChildFailed as error:
            log.error("%s", error)
            pause = min(pause * 2, RESTART_SECONDS[1])


async def supervise(
    core: Child,
    others: Callable[[Child], list[Child]],
    ready: Callable[[Mapping[str, str]], None],
    emit: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    """Runs the core, then the others (made once the core's address is known), until `stop`.

    Args:
        ready: called once with every part's address by key.
        emit: called with each line that a child prints.

    Raises:
        ChildFailed: a part ended before it answered for the first time.
    """
    children = [core]
    keepers: list[asyncio.Task[None]] = []
    stopping = asyncio.create_task(stop.wait())
    try:
        if not await _unless(stopping, core.start(emit)):
            return
        children += others(core)
        if not await _unless(stopping, *(child.start(emit) for child in children[1:])):
            return
        ready({child.key: child.address for child in children})
        keepers = [asyncio.create_task(_keep(child, emit)) for child in children]
        await stopping
    finally:
        for task in (*keepers, stopping):
            task.cancel()
        await asyncio.gather(*keepers, stopping, return_exceptions=True)
        deadline = time.monotonic() + STOP_SECONDS
        await asyncio.gather(*(child.stop(STOP_SECONDS * 0.6) for child in children[1:]))
        await core.stop(max(0.1, deadline - time.monotonic()))


async def _unless(stopping: "asyncio.Task[bool]", *starts: Coroutine[Any, Any, None]) -> bool:
    """Whether all starts were done before a stop was asked for."""
    started = asyncio.gather(*starts)
    await asyncio.wait((stopping, started), return_when=asyncio.FIRST_COMPLETED)
    if started.done():
        await started
        return True
    started.cancel()
    await asyncio.gather(started, return_exceptions=True)
    return False


async def wait_for_parent() -> None:
    """Returns when the process that started this one has closed our standard input, or is gone."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    try:
        while await reader.read(4096):
            continue
    finally:
        transport.close()
