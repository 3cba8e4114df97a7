"""Call records: the seam of their store.

Invariants, held by both twins:
1. A record is kept once by (product, identifier): the first one stays, a second is no error.
2. What append returned for is durable; a group is one transaction and one fsync.
3. Order is that of the identifiers, which is the order of time (UUID version 7).
4. Counts are exact, whatever the conditions; a page and a count see one state.
5. A record is found by its row alone (fastpath.rows_types): nothing here looks into one.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from ...fastpath.rows_types import TIME_BYTES, UNSET, Batch, Condition
from .contract import Usage
from .limits import RECORDS_PAGE

PRODUCT_OCTET: Final = {"pcs": 1, "cin": 2}  # what keys begin with
SECOND: Final = 10**9  # nanoseconds
END_OF_TIME: Final = 253_402_300_800 * SECOND  # the year 10000: after every time of a record


class Arrived(NamedTuple):
    """Records of a product, end to end, and their rows, whose offsets count from the first."""

    product: str
    rows: bytes
    values: bytes


class Found(NamedTuple):
    """A record, and the 16 octets of its identifier."""

    id: bytes
    value: bytes


class RecordStore(Protocol):
    """Call records by what their rows say. Safe to use from any thread."""

    @property
    def key(self) -> bytes:
        """The 16 octets that key the digests of rows: random, made with the store."""

    @property
    def fatal(self) -> bool:
        """Whether the disk failed so that only opening the store anew shows what it holds."""

    def usage(self) -> Usage:
        """What the store takes now. Raises StoreClosed."""

    def append(self, records: Sequence[Arrived]) -> int:
        """Keeps these records durably, all or none; how many were new.

        Raises StoreFull, StoreFailed, StoreClosed.
        """

    def append_group(self, group: Sequence[Sequence[Arrived]]) -> list[int | Exception]:
        """Several appends in one transaction, each with a result of its own."""

    def get(self, product: str, id: bytes) -> bytes | None:
        """One record. Raises StoreClosed."""

    def page(
        self,
        product: str,
        conditions: Sequence[Condition] = (),
        start_after: bytes | None = None,
        skip: int = 0,
        limit: int = RECORDS_PAGE,
        newest_first: bool = True,
    ) -> list[Found]:
        """Records that meet every condition, in order.

        `start_after` is the last identifier of the page before, there or not; `skip` costs a step a
        record at most. Raises StoreClosed.
        """

    def page_by_time(
        self,
        product: str,
        conditions: Sequence[Condition],
        column: int,
        descending: bool,
        skip: int = 0,
        limit: int = RECORDS_PAGE,
    ) -> list[Found]:
        """The same in the order of START or END; of those that are equal the newest comes first.

        What is unset comes first, or last when descending. Raises StoreClosed.
        """

    def count(self, product: str, conditions: Sequence[Condition] = ()) -> int:
        """How many records `page` would go through. Raises StoreClosed."""

    def expire(self, product: str, before: float) -> bool:
        """One bounded step of removing records that came before a time, in Unix seconds.

        Records go together with those that came within SEGMENT_SECONDS, once the last of them is
        as old; none goes early. Whether there is more to do. Raises StoreFull, StoreFailed,
        StoreClosed.
        """

    def oldest_reader_age(self) -> float:
        """Seconds that the oldest open reader has been open; 0.0 where there is none."""

    def close(self) -> None:
        """Waits for readers and the writer, then closes. Closing again does nothing."""


def of_product(batch: Batch, product: str) -> tuple[bytes, bytes]:
    """Rows and records of a product in a batch."""
    return batch.pcs if product == "pcs" else batch.cin


def same(offset: int, digest: bytes) -> Condition:
    """A name or number is the one with this digest."""
    return Condition(offset, digest, digest)


def during(offset: int, first: int, last: int) -> Condition:
    """A time is within these, in nanoseconds since 1970, both included."""
    first, last = max(first, 0), min(last, END_OF_TIME)
    if first > last:
        return Condition(offset, UNSET, bytes(TIME_BYTES))  # which no time meets
    return Condition(offset, _octets(first), _octets(last))


def _octets(time: int) -> bytes:
    seconds, nanos = divmod(time, SECOND)
    return seconds.to_bytes(TIME_BYTES - 4, "big") + nanos.to_bytes(4, "big")


__all__ = ["PRODUCT_OCTET", "Arrived", "Found", "RecordStore", "during", "of_product", "same"]
