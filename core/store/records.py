"""Call records: the seam of their store.

Invariants, held by both twins:
1. A record is kept once by (product, cdr_id): the first one stays, a second is no error.
2. What append returned for is durable; a group is one transaction and one fsync.
3. Order is that of cdr_id as text, which is the order of time (UUID version 7).
4. Counts are exact: they change in the transaction that adds the record.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from .limits import RECORDS_PAGE


class Record(NamedTuple):
    """A call record and what it is found by. Provider and subscriber may be empty."""

    product: str
    cdr_id: str
    service_provider_name: str
    subscriber_name: str
    value: bytes


class RecordStore(Protocol):
    """Call records by product, provider and subscriber. Safe to use from any thread."""

    def append(self, records: Sequence[Record]) -> int:
        """Keeps these records durably, all or none; how many were new.

        Raises KeyTooLong, StoreFull, StoreFailed, StoreClosed.
        """

    def append_group(self, group: Sequence[Sequence[Record]]) -> list[int | Exception]:
        """Several appends in one transaction, each with a result of its own."""

    def get(self, product: str, cdr_id: str) -> bytes | None:
        """One record. Raises StoreClosed, KeyTooLong."""

    def scan(
        self,
        product: str,
        service_provider_name: str | None = None,
        subscriber_name: str | None = None,
        start_after: str | None = None,
        skip: int = 0,
        limit: int = RECORDS_PAGE,
        newest_first: bool = True,
    ) -> list[tuple[str, bytes]]:
        """A page of (cdr_id, record) of a product, a provider or a subscriber of a provider.

        `start_after` is the last cdr_id of the page before, `skip` costs a step a record.
        Raises ValueError where a subscriber is given without its provider.
        """

    def count(
        self,
        product: str,
        service_provider_name: str | None = None,
        subscriber_name: str | None = None,
    ) -> int:
        """How many records `scan` would go through: one look-up."""

    def oldest_reader_age(self) -> float:
        """Seconds that the oldest open reader has been open; 0.0 where there is none."""

    def close(self) -> None:
        """Waits for readers and the writer, then closes. Closing again does nothing."""


def scope_of(product: str, provider: str | None, subscriber: str | None) -> tuple[str, ...]:
    """The parts that a scan or a count is limited to."""
    if provider is None:
        if subscriber is not None:
            raise ValueError("a subscriber is named together with its provider")
        return (product,)
    return (product, provider) if subscriber is None else (product, provider, subscriber)


def scopes_of(record: Record) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Every scope that a record belongs to, widest first."""
    product, _, provider, subscriber, _ = record
    return (product,), (product, provider), (product, provider, subscriber)


__all__ = ["Record", "RecordStore", "scope_of", "scopes_of"]
