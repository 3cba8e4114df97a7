"""Every limit of the store, with its unit."""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

MAP_BYTES: Final = GIB  # address space of an environment at the start; the file is sparse
MAP_LIMIT_BYTES: Final = 256 * GIB  # where it stops doubling
MAX_READERS: Final = 512  # read transactions at one time
READER_DRAIN_SECONDS: Final = 5.0  # a map grows, or closes, only when no reader is open
KEY_BYTES: Final = 511  # the engine's longest key, encoded
SHORT_BYTES: Final = 256 * KIB  # with less room than this, a write cut short is a full disk
LOG_RECORDS: Final = 1_000_000  # change log kept by itself
PRUNE_RECORDS: Final = 100  # dropped a commit at most, besides twice what it wrote
COMPACT_RECORDS: Final = 10_000  # dropped a transaction by compact()
TAIL_RECORDS: Final = 1_000  # log records a call
TAIL_BYTES: Final = 4 * MIB  # a call stops after the record that reaches it
CHUNK_ENTRIES: Final = 1_000  # a chunk of a snapshot
CHUNK_BYTES: Final = MIB  # a chunk ends after the entry that reaches it
RECORDS_PAGE: Final = 1_000  # call records a page
SEGMENT_ROWS: Final = 32_768  # where a segment of call records ends; one append may exceed it
SEGMENT_SECONDS: Final = 86_400  # from a segment's first record to where it ends
CHUNK_ROWS: Final = 500  # rows in one value: 12 pages
CHUNK_POSTINGS: Final = 1_020  # postings in one value: 4 pages
DROP_VALUES: Final = 200  # of removed call records, dropped a transaction
MOVE_RECORDS: Final = 1_000  # call records of the former format, moved a transaction

__all__ = [
    "CHUNK_BYTES",
    "CHUNK_ENTRIES",
    "CHUNK_POSTINGS",
    "CHUNK_ROWS",
    "COMPACT_RECORDS",
    "DROP_VALUES",
    "GIB",
    "KEY_BYTES",
    "KIB",
    "LOG_RECORDS",
    "MAP_BYTES",
    "MAP_LIMIT_BYTES",
    "MAX_READERS",
    "MIB",
    "MOVE_RECORDS",
    "PRUNE_RECORDS",
    "READER_DRAIN_SECONDS",
    "RECORDS_PAGE",
    "SEGMENT_ROWS",
    "SEGMENT_SECONDS",
    "SHORT_BYTES",
    "TAIL_BYTES",
    "TAIL_RECORDS",
]
