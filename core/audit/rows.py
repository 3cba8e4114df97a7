"""Rows of the audit log: CSV as in RFC 4180, but that a line ends in LF alone.

Invariants:
1. One change is one row and one line, whatever its cells hold: a line break in one becomes a
   space. The columns are COLUMNS, in that order.
2. No cell is a formula to a spreadsheet: one that begins like one gets an apostrophe before it.
3. The type and id of an object are as in its resource name: the id's parts percent-encoded.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from ...schema import TYPES
from ...v1.object_pb2 import Object
from ..access import Principal
from ..origin import Origin
from .changes import NOTHING, changed_fields

COLUMNS: Final = (
    "time",  # UTC, ISO 8601 with milliseconds
    "request_id",
    "username",
    "role_id",
    "source_ip",
    "product",
    "method",
    "object",
    "object_id",
    "action",
    "code",
    "changed_fields",
    "duration_ms",
    "job_id",
)
CODE: Final = "200"  # of a change that was made: no other has a row

NONE: Final[Mapping[str, Sequence[bytes]]] = {}

_FORMULA: Final = frozenset("=+-@\t\r")  # what a cell that is a formula begins with
_QUOTED: Final = re.compile(r'[",]')
_BREAK: Final = re.compile(r"[\r\n]")

# product, type, name, action, the object before, the object after
Change = tuple[str, str, str, str, Object | None, Object | None]


class Event(NamedTuple):
    """A change that touches no object: a login, a password. `role_id` is that of who it is about,
    where the caller has none yet."""

    product: str
    type: str
    name: str
    action: str
    role_id: str


def render(
    caller: Principal,
    of: Origin,
    now: float,
    changes: Iterable[Change],
    events: Iterable[Event] = (),
    made: Mapping[str, Sequence[bytes]] = NONE,
) -> dict[str, bytes]:
    """The rows of one batch, by product. `now` is Unix seconds; `made` are middles by product."""
    found: dict[str, list[bytes]] = {}
    first = f"{_time(now)},{cell(of.request_id)},{cell(caller.username)},"
    second = f"{cell(of.source_ip)},"
    head = f"{first}{cell(caller.role_id)},{second}"
    method = cell(of.method)
    took = f"{max(0.0, now - of.started) * 1000:.0f}" if of.started else ""
    tail = f'",{took},{cell(of.job_id)}\n'.encode()
    for product, type_, name, action, old, new in changes:
        fields = changed_fields(TYPES[type_], product, old, new)
        line = f"{head}{product},{method},".encode() + middle(type_, name, action, fields)
        found.setdefault(product, []).append(line + tail)
    for product, middles in made.items():
        start = f"{head}{product},{method},".encode()
        found.setdefault(product, []).append(start + (tail + start).join(middles) + tail)
    for product, type_, name, action, role_id in events:
        who = f"{first}{cell(caller.role_id or role_id)},{second}"
        what = cell(name.split("/", 2)[2])
        line = f'{who}{product},{method},{type_},{what},{action},{CODE},"'.encode()
        found.setdefault(product, []).append(line + NOTHING + tail)
    return {product: b"".join(rows) for product, rows in found.items()}


def line(
    username: str,
    role_id: str,
    of: Origin,
    now: float,
    what: tuple[str, str, str, str, str],
    fields: bytes,
) -> bytes:
    """One whole row; `what` is product, type, id, action and code."""
    product, type_, id_, action, code = what
    took = f"{max(0.0, now - of.started) * 1000:.0f}" if of.started else ""
    who = f"{_time(now)},{cell(of.request_id)},{cell(username)},{cell(role_id)},"
    where = f"{cell(of.source_ip)},{product},{cell(of.method)},{type_},{cell(id_)},{action},{code},"
    quoted = b'"' + fields.replace(b'"', b'""') + b'"'
    return f"{who}{where}".encode() + quoted + f",{took},{cell(of.job_id)}\n".encode()


def middle(type_: str, name: str, action: str, fields: bytes) -> bytes:
    """What a row tells of the object, up to its changed fields."""
    what = cell(name.split("/", 2)[2])
    return f'{type_},{what},{action},{CODE},"'.encode() + fields.replace(b'"', b'""')


def cell(text: str) -> str:
    """A cell: no formula, and quoted where it must be."""
    if text[:1] in _FORMULA:
        text = "'" + text
    text = _BREAK.sub(" ", text)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def _time(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


__all__ = ["CODE", "COLUMNS", "Change", "Event", "cell", "line", "middle", "render"]
