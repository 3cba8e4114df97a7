"""Every limit of imports and exports, with its unit."""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

FILE_BYTES: Final = 1024 * MIB  # of a file to import
DATA_BYTES: Final = MIB  # of it in one message
FILE_CHARS: Final = 250  # characters of a file's name
ROW_BYTES: Final = 48 * MIB  # of a row: two lists of 1,000,000 entries
ROW_COMMAS: Final = 1_000_000  # of a row, those in quotes too: its cells are held as texts
FIELD_CHARS: Final = 24 * MIB  # characters of a cell: one of them

BLOCK_BYTES: Final = 64 * KIB  # of the file, that are staged as one piece
INLINE_BYTES: Final = 64 * KIB  # a file so small is staged by the core itself: no process begun
PARTS: Final = 2  # processes that stage a file side by side
PART_BYTES: Final = 4 * MIB  # a smaller file is staged by one
PROGRESS_SECONDS: Final = 0.25  # between two words on how far a file has been staged
NICE: Final = 5  # how much staging gives way to calls

GROUP_ROWS: Final = 4_000  # rows written in one transaction
GROUP_LEAST: Final = 1_000  # rows written in one whatever the time: a file of these is one batch
GROUP_SECONDS: Final = 0.06  # what a transaction's rows may take: a write beside waits so long
GROUP_BYTES: Final = 8 * MIB  # published by one transaction; it ends after the row that reaches it
CHECKED_ROWS: Final = 100_000  # rows that are still checked after the first refused one
ERRORS_KEPT: Final = 1_000  # refused lines that are told; the others are counted

JOBS_WAITING: Final = 100  # jobs that are not ended
JOBS_WAITING_EACH: Final = 20  # those of one provider's administrators, or of the platform's
JOBS_KEPT: Final = 1_000  # jobs that have ended, of each of these
KEPT_BYTES: Final = 4096 * MIB  # what their files hold together
RETRY_SECONDS: Final = 1.0  # before a step is tried again that the store could not take
CANCEL_SECONDS: Final = 5.0  # what a cancelled job is waited for
RETENTION_DAYS: Final = 30  # a job's files, where no setting says otherwise
RETENTION_SECONDS: Final = 3_600.0  # between two looks for files that are too old
EXPORT_ROWS: Final = 500  # objects read in one read transaction
SORTED_ROWS: Final = 1_000_000  # objects in a sorted export
CHUNK_BYTES: Final = 256 * KIB  # of a file in one message of a download

__all__ = [name for name in dir() if name.isupper()]
