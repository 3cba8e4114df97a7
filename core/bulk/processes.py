"""Staging beside the core: in processes of their own, so that its threads stay free for calls.

Invariants:
1. However staging ends, no process of it is left.
2. A file that is small is staged here, on a thread: beginning a process would take longer.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from subprocess import PIPE, Popen
from typing import Final

from ..errors import Unavailable
from .limits import INLINE_BYTES, PART_BYTES, PARTS
from .records import Files
from .staging import Staged, Task, stage_here

MODULE: Final = "callscreen.core.bulk.worker"
DONE: Final = "done "
FAILED: Final = "The file could not be read through: try again later."

Progress = Callable[[list[Staged]], None]


async def stage_file(task: Task, files: Files, size: int, progress: Progress) -> list[Staged]:
    """Stages a whole file of that size, in octets. `progress` may raise to end it.

    Raises Unavailable, OSError.
    """
    count = PARTS if size >= PART_BYTES else 1
    tasks = [
        replace(
            task,
            staged=str(files.staged(part)),
            errors=str(files.errors(part)),
            part=part,
            parts=count,
        )
        for part in range(count)
    ]
    if size <= INLINE_BYTES:
        return [await asyncio.to_thread(stage_here, tasks[0], os.urandom)]
    made = [Staged() for _ in tasks]

    def told(part: int, staged: Staged) -> None:
        made[part] = staged
        progress(made)

    try:
        async with asyncio.TaskGroup() as group:
            for part, each in enumerate(tasks):
                group.create_task(_run(each, partial(told, part)))
    except* Exception as several:
        raise several.exceptions[0] from None
    return made


async def _run(task: Task, told: Callable[[Staged], None]) -> None:
    # vfork: what gRPC does around a fork of a process that serves is not wanted, nor needed
    args = (sys.executable, "-m", MODULE, str(os.getpid()))
    process = Popen(args, stdin=PIPE, stdout=PIPE)  # noqa: ASYNC220, S603
    assert process.stdin is not None
    assert process.stdout is not None
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), process.stdout
    )
    try:
        with process.stdin as file:  # less than a pipe holds: it does not wait
            file.write(task.encode().encode() + b"\n")
        async for line in reader:
            text = line.decode()
            told(Staged.decode(text.removeprefix(DONE)))
            if text.startswith(DONE):
                return
        raise Unavailable(FAILED)
    finally:
        process.kill()
        transport.close()
        await asyncio.to_thread(process.wait)


__all__ = ["stage_file"]
