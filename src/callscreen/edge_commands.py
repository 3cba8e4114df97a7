"""`callscreen edge top`, `callscreen trace`: an edge that runs, seen by its admin endpoint."""

import sys
import time

import click

from .options import EPILOG, data_option, option, token_option, watched_option
from .running import emit, fail, service_token

__all__ = ["top", "trace"]

PERIOD = 1.0  # seconds between two readings
CLEAR = "\x1b[2J\x1b[H"


@click.command(epilog=EPILOG)
@watched_option
@option("--once", False, "One block, of one second.", is_flag=True)
@option(
    "--seconds",
    "0",
    "How long to look; 0 until it is interrupted.",
    type=click.IntRange(0, 86_400),
)
def top(edge: str, once: bool, seconds: int) -> None:
    """Shows what an edge does, second by second.

    Calls by treatment, answers by status, latency, the index, what is dropped, call records and
    workers. EDGE has to run with --metrics. Ends with status 0 when it is interrupted.
    """
    from .top import NotAnswered, fetch, lines, parse

    clear = CLEAR if sys.stdout.isatty() and not once else ""
    end = time.monotonic() + seconds if seconds else float("inf")
    try:
        before = parse(fetch(edge), time.monotonic())
        while True:
            time.sleep(PERIOD)
            try:
                after = parse(fetch(edge), time.monotonic())
            except NotAnswered as error:
                if once:
                    raise
                emit(f"{clear}{error}")
            else:
                title = f"{edge}  {time.strftime('%H:%M:%S')}"
                emit(clear + "\n".join([title, *lines(before, after), ""]))
                before = after
            if once or time.monotonic() >= end:
                return
    except NotAnswered as error:
        fail(str(error))
    except KeyboardInterrupt:
        return


@click.command(epilog=EPILOG)
@option("--number", None, "Whose calls: from it or to it.", required=True, metavar="NUMBER")
@option("--count", "1", "After how many calls it ends.", type=click.IntRange(1, 1_000))
@option(
    "--seconds",
    "600",
    "After how many seconds it ends, whatever came.",
    type=click.IntRange(1, 600),
)
@watched_option
@data_option
@token_option
def trace(number: str, count: int, seconds: int, edge: str, data: str, token: str | None) -> None:
    """Shows the next calls of a number as an edge parsed, decided and answered them.

    EDGE has to run with --metrics, and with the token that is given here. Ends with status 0 also
    when it is interrupted.
    """
    from .trace import TraceError, calls

    try:
        for block in calls(edge, service_token(data, token), number, count, seconds):
            emit(block)
    except TraceError as error:
        fail(str(error))
    except KeyboardInterrupt:
        return
