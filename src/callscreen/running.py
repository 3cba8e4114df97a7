"""Running one part as a process: signals, its parent, its ready line, its log.

1. A part says `ready <key>=<address>` once it answers, and ends with status 0 on SIGTERM or SIGINT.
2. What a user can do something about ends it with status 1 and one line; anything else is a fault
   and shows its traceback.
"""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import click

from .supervise import wait_for_parent

__all__ = ["Serve", "emit", "fail", "run_part", "run_until_stopped", "set_up_logging"]

Serve = Callable[[Callable[[str], None], asyncio.Event], Coroutine[Any, Any, None]]


def run_part(key: str, serve: Serve, *expected: type[Exception]) -> None:
    """Runs one part until a signal, saying when it answers; an expected error ends it in a line."""
    plain: tuple[type[Exception], ...] = (OSError, ValueError, *expected)

    async def run(stop: asyncio.Event) -> None:
        if os.environ.get("CALLSCREEN_PARENT") == "stdin":
            parent = asyncio.create_task(wait_for_parent())
            parent.add_done_callback(lambda _: stop.set())
        await serve(lambda address: emit(f"ready {key}={address}"), stop)

    try:
        run_until_stopped(run)
    except plain as error:
        logging.getLogger("callscreen").debug("the part ended", exc_info=True)
        fail(str(error))


def run_until_stopped(run: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Runs on uvloop; SIGTERM and SIGINT set the stop event."""
    import uvloop

    async def body() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await run(stop)

    uvloop.run(body())


def set_up_logging(level: str) -> None:
    """A line an event on standard error: time in UTC, severity, part, text."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=level.upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%SZ",
    )


def emit(line: str) -> None:
    """A line on standard output, at once."""
    click.echo(line)
    sys.stdout.flush()


def fail(message: str) -> NoReturn:
    """Ends with status 1 and says why."""
    click.echo(f"callscreen: {message}", err=True)
    sys.exit(1)
