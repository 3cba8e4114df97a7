"""What of the archive a tenant has: what went there since the tenant has been there itself.

Invariants:
1. A name that was another's before gives its new owner nothing of the other's archive or jobs,
   neither to read nor to restore or purge, however it came to the name: made, renamed or restored.
   The platform has all of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ...v1.object_pb2 import Object
from ..access import Principal
from ..indexing import Path
from ..store.contract import Key, Reader
from ..store.tables import decode_number, encode_number
from .archive_keys import left_key
from .draft import Draft
from .sources import Item, Scan, Shelf

OWNERS: Final = ("service_provider", "subscriber")  # whose a caller's place is, outermost first
NEVER: Final = 1 << 63  # nanoseconds: after all that is archived


def since(reader: Reader, caller: Principal, product: str) -> int:
    """When the caller's part of the archive begins: nanoseconds since 1970; 0: it has all."""
    begin = 0
    for depth, type_ in enumerate(OWNERS[: len(caller.place)], 1):
        value = reader.get(Key(product, type_, caller.place[:depth]))
        if value is None:
            return NEVER
        begin = max(begin, Object.FromString(value).stamps.created.ToNanoseconds())
        left = reader.get(left_key(product, caller.place[:depth]))
        begin = max(begin, 0 if left is None else decode_number(left))
    return begin


def leave(draft: Draft, product: str, place: Path, time: int) -> None:
    """Notes that what the archive holds of a place until then (nanoseconds) is another's."""
    draft.put_raw(left_key(product, place), encode_number(time + 1))


def is_since(obj: Object, begin: int) -> bool:
    """Whether an archived object went there then, or later."""
    return obj.archived.time.ToNanoseconds() >= begin


@dataclass(frozen=True, slots=True)
class Recent(Scan):
    """All archived objects below the prefixes that went there since then."""

    begin: int = 0
    counted: bool = False

    def _scan(self, shelf: Shelf, after: Path | None, want: int) -> Iterator[Item]:
        # no super(): a dataclass with slots is made twice, and only the first is its base
        for path, value in Scan._scan(self, shelf, after, want):
            if is_since(Object.FromString(value), self.begin):
                yield path, value


__all__ = ["Recent", "is_since", "leave", "since"]
