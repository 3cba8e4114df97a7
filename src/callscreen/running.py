"""Running one part as a process: signals, its parent, its ready line, its log, what it shows.

1. A part says `ready <key>=<address>` once it answers, and ends with status 0 on SIGTERM or SIGINT,
   also where that comes before it answers.
2. What a user can do something about ends it with status 1 and one line; anything else is a fault
   and shows its traceback.
3. Its admin endpoint, where it has one, is there before the part answers and after it stops.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from . import __version__
from .ops import Instruments, logs, tracing
from .ops.admin import admin
from .supervise import wait_for_parent

__all__ = [
    "Serve",
    "emit",
    "end_at_once",
    "fail",
    "instruments_of",
    "run_part",
    "run_until_stopped",
    "service_token",
]

SIGNALS = (signal.SIGTERM, signal.SIGINT)
Serve = Callable[[Callable[[str], None], asyncio.Event], Coroutine[Any, Any, None]]


def run_part(
    key: str,
    serve: Serve,
    *expected: type[Exception],
    instruments: Instruments,
    metrics: str | None = None,
    traced: bool = False,
) -> None:
    """Runs one part until a signal, saying when it answers; an expected error ends it in a line.

    `metrics` is where the admin endpoint listens; None: there is none. `traced`: it has spans.
    """
    plain: tuple[type[Exception], ...] = (OSError, ValueError, *expected)

    async def run(stop: asyncio.Event) -> None:
        if os.environ.get("CALLSCREEN_PARENT") == "stdin":
            parent = asyncio.create_task(wait_for_parent())
            parent.add_done_callback(lambda _: stop.set())

        def ready(address: str) -> None:
            stop_by_signals(stop)
            emit(f"ready {key}={address}")

        async with shown(instruments, metrics):
            await serve(ready, stop)

    try:
        with contextlib.ExitStack() as stack:
            if traced:
                stack.callback(tracing.set_up(instruments.part, instruments.version))
            run_on_loop(run)
    except plain as error:
        logging.getLogger("callscreen").debug("the part ended", exc_info=True)
        fail(str(error))


@contextlib.asynccontextmanager
async def shown(instruments: Instruments, metrics: str | None) -> AsyncIterator[None]:
    """Answers on the admin endpoint, if any, for as long as the block runs."""
    if metrics is None:
        yield
        return
    async with admin(instruments, metrics) as address:
        emit(f"metrics {instruments.part}={address}")
        yield


def run_until_stopped(run: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Runs on uvloop; from the beginning SIGTERM and SIGINT set the stop event."""

    async def body(stop: asyncio.Event) -> None:
        stop_by_signals(stop)
        await run(stop)

    run_on_loop(body)


def run_on_loop(run: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Runs on uvloop. Until the stop event takes the signals, one ends the process in order."""
    import uvloop

    async def body() -> None:
        await run(asyncio.Event())

    end_at_once()
    uvloop.run(body())


def end_at_once() -> None:
    """From here on SIGTERM and SIGINT end the process with status 0, unwinding what was begun.

    For the start, when nothing was promised to anybody and the loop may be busy for long.
    """
    for number in SIGNALS:
        signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def stop_by_signals(stop: asyncio.Event) -> None:
    """From here on SIGTERM and SIGINT set the stop event."""
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop.set)


def instruments_of(
    part: str, level: str, form: str, context: logs.Context = logs.from_request
) -> Instruments:
    """Sets up the log of a part; what it shows is put into what is returned."""
    logs.set_up(level, form, part, context)
    return Instruments(part, __version__)


def service_token(data: str, token: str | None) -> str:
    """The token to ask the core with: as given, else from the data folder."""
    if token:
        return token
    path = Path(data) / "service.token"
    try:
        return path.read_text().strip()
    except OSError as error:
        fail(f"no --token given, and {path} cannot be read: {error.strerror}")


def emit(line: str) -> None:
    """A line on standard output, at once."""
    click.echo(line)
    sys.stdout.flush()


def fail(message: str) -> NoReturn:
    """Ends with status 1 and says why."""
    click.echo(f"callscreen: {message}", err=True)
    sys.exit(1)
