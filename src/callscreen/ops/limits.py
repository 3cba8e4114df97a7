"""Every limit of the admin endpoint, the logs and the traces, with its unit."""

from typing import Final

CONNECTIONS: Final = 16  # to the admin endpoint, at a time; the next one is closed at once
REQUEST_SECONDS: Final = 5.0  # from a connection to the end of its answer
STREAM_SECONDS: Final = 660.0  # of a page that comes piece by piece
REQUEST_BYTES: Final = 8 * 1024  # the head of a request; a body is not read
CHECK_SECONDS: Final = 2.0  # what one check of readiness may take
CHECKED_SECONDS: Final = 1.0  # how long what the checks found is said again
FLUSH_SECONDS: Final = 0.3  # what spans that wait are given at a stop
EXPORT_SECONDS: Final = 5.0  # one export of spans, unless the environment says otherwise
EVENT_CHARS: Final = 8 * 1024  # characters of the text of a log line

__all__ = [name for name in dir() if name.isupper()]
