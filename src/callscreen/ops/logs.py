"""Log lines for people or for machines: UTC with milliseconds, severity, part, text, whose work.

Invariants:
1. One event is one line, but for the traceback of a fault, which follows indented in the text form:
   no text of a stranger can look like a line of its own.
2. What stands behind "Bearer" or "Basic" is never written.
3. Below the severity asked for only our own lines are let through: libraries say what they send.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

from .limits import EVENT_CHARS

__all__ = ["FORMATS", "Context", "JsonLines", "TextLines", "request_id", "set_up"]

OURS: Final = "callscreen"
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
CREDENTIAL: Final = re.compile(r"(?i)\b(bearer|basic)(\s+|%20)[A-Za-z0-9._~+/=-]{8,}")
LIBRARIES: Final = logging.INFO  # least severity of lines that are not ours

# The request that the task at hand works for, where a part has no better notion of it.
request_id: ContextVar[str] = ContextVar("request_id", default="")

Context = Callable[[], Mapping[str, str]]  # whose work is at hand: request_id and the like


def from_request() -> Mapping[str, str]:
    """The request id of the task at hand."""
    return {"request_id": request_id.get()}


class _Lines(logging.Formatter):
    """What both forms share: `part` is the process's, `context` says whose work it does."""

    def __init__(self, part: str, context: Context) -> None:
        super().__init__()
        self._part = part
        self._context = context

    def pieces(self, record: logging.LogRecord) -> dict[str, str]:
        """The line's pieces in order; whose work only where that is known."""
        ours, _, name = record.name.partition(".")
        try:
            event = record.getMessage()
        except Exception:  # the arguments do not fit: a fault of ours, and still an event
            event = str(record.msg)
        if len(event) > EVENT_CHARS:
            event = event[: EVENT_CHARS - 1] + "…"
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        pieces = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname,
            "part": name if ours == OURS and name else self._part,
            "event": masked(event),
        }
        return pieces | {key: value for key, value in self._context().items() if value}

    def fault(self, record: logging.LogRecord) -> str:
        """The traceback; empty where there is none."""
        if not record.exc_info or record.exc_info[0] is None:
            return ""
        return masked(self.formatException(record.exc_info))


class TextLines(_Lines):
    """`time LEVEL part text key=value`."""

    def format(self, record: logging.LogRecord) -> str:
        time, level, part, event, *_ = (pieces := self.pieces(record)).values()
        known = [f"{key}={value}" for key, value in list(pieces.items())[4:]]
        lines = [" ".join(_plain(piece) for piece in (time, level, part, event, *known))]
        lines += (f"  {_plain(line)}" for line in self.fault(record).splitlines())
        return "\n".join(lines)


class JsonLines(_Lines):
    """An object a line; a traceback is its member `fault`."""

    def format(self, record: logging.LogRecord) -> str:
        found: dict[str, Any] = self.pieces(record)
        fault = self.fault(record)
        return json.dumps(found | {"fault": fault} if fault else found)


FORMATS: Final[dict[str, type[_Lines]]] = {"text": TextLines, "json": JsonLines}


def masked(text: str) -> str:
    """The text without the credentials of a header."""
    return CREDENTIAL.sub(r"\1 ***", text)


def _plain(text: str) -> str:
    """The text with control characters written as \\x0a and the like."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def set_up(level: str, form: str, part: str, context: Context = from_request) -> None:
    """Logs to standard error in one of FORMATS, from `level` (debug, info, warning, error) on."""
    handler = logging.StreamHandler()
    handler.setFormatter(FORMATS[form](part, context))
    root, least = logging.getLogger(), logging.getLevelNamesMapping()[level.upper()]
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(least, LIBRARIES))
    logging.getLogger(OURS).setLevel(least)
