"""`callscreen backup`, `restore` and `check`: care of the data folder."""

import sys
import time
from pathlib import Path
from typing import Any, Final

import click

from .grpc_options import asking_options, client_tls
from .options import data_option, option, token_option
from .output import STREAM, OutputError, output
from .running import emit, fail, service_token

__all__ = ["backup", "check", "restore"]

EPILOG = "Every option may also stand in the environment: --data as CALLSCREEN_DATA, and so on."
SECONDS: Final = 24 * 3600.0  # that a backup may take
SHOWN_SECONDS: Final = 0.5  # between two looks at the progress
MIB: Final = 1024 * 1024


class Progress:
    """Octets done, as one line of a terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._next = time.monotonic()
        self.done = 0

    def add(self, octets: int) -> None:
        self.done += octets
        if self._shown and time.monotonic() >= self._next:
            self._next = time.monotonic() + SHOWN_SECONDS
            click.echo(f"\r{self.done / MIB:,.1f} MiB", nl=False, err=True)

    def end(self) -> None:
        if self._shown:
            click.echo("\r", nl=False, err=True)


@click.command(epilog=EPILOG)
@option("--to", None, "The file to make; - is standard output.", required=True, metavar="FILE")
@option("--without-records", False, "Leaves out the call records.", is_flag=True)
@asking_options
@data_option
@token_option
def backup(
    to: str, without_records: bool, grpc: str, data: str, token: str | None, **tls: Any
) -> None:
    """Makes a backup of all data while the core runs.

    It is a tar archive of one moment: objects, log-ins, audit log, audio, and (as of a moment
    later) call records. It holds secrets: the file is readable for its owner alone. It appears
    under its name once it is whole.
    """
    from .asking import AskError, take_backup

    progress = Progress()
    try:
        asking, how = service_token(data, token), client_tls(tls)
        with output(to) as file:
            for piece in take_backup(grpc, how, asking, not without_records, SECONDS):
                file.write(piece)
                progress.add(len(piece))
    except (AskError, OutputError) as error:
        fail(str(error))
    if to != STREAM:
        progress.end()
        emit(f"{to}: {progress.done / MIB:,.1f} MiB")


@click.command(epilog=EPILOG)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@data_option
def restore(file: str, data: str) -> None:
    """Makes a data folder from the backup FILE; - is standard input.

    The folder must be empty, or not be there. Nothing of a backup that is damaged stays in it. A
    new service.token is made: edges on other hosts need it.
    """
    from .core.errors import CallscreenError
    from .core.upkeep.restore import restore as restore_into

    progress = Progress()
    try:
        with click.open_file(file, "rb") as source:
            manifest = restore_into(source, Path(data), time.time(), progress.add)
    except CallscreenError as error:
        fail(str(error))
    except OSError as error:
        fail(f"the backup cannot be restored: {error}")
    progress.end()
    emit(f"{data}: revision {manifest.revision} of {manifest.time}, {progress.done / MIB:,.1f} MiB")


@click.command(epilog=EPILOG)
@data_option
def check(data: str) -> None:
    """Checks the data folder while no core runs, and changes nothing.

    Says what is wrong, a line each; the status is then 1.
    """
    from .core.errors import CallscreenError
    from .core.upkeep.check import check as findings_in

    found = 0
    try:
        for finding in findings_in(Path(data)):
            found += 1
            emit(finding)
    except CallscreenError as error:
        fail(str(error))
    except OSError as error:
        fail(f"the data cannot be read: {error}")
    if found:
        fail(f"{found} findings in {data}")
    emit(f"{data}: all is well")
