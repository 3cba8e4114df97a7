"""What may go wrong in a store, besides what `contract` takes from the core's own errors."""

import errno
from typing import Final

from ..errors import CallscreenError, InvalidInput, TooMuch, Unavailable

NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})  # of OSError


class Fenced(Unavailable):
    """A newer epoch has taken over: this writer must not write any more."""

    reason = "FENCED"
    default = "Another core has taken over."


class NotLeader(Unavailable):
    """This core does not hold the lease: ask the one that does."""

    reason = "NOT_LEADER"
    default = "This core does not take writes."


class StoreFull(TooMuch):
    """The disk or the store's own limit is reached. Nothing was written; reading goes on."""

    reason = "STORE_FULL"
    default = "The store is full."


class StoreFailed(Unavailable):
    """The disk failed, or too many read at once. Nothing was written; reading goes on."""

    reason = "STORE_FAILED"
    default = "The store could not read or write."


class StoreClosed(Unavailable):
    """The store has been closed."""

    reason = "STORE_CLOSED"
    default = "The store is closed."


class StoreInUse(CallscreenError):
    """Another process, or this one, has the folder open."""

    reason = "STORE_IN_USE"
    default = "The data folder is in use."


class FormatTooNew(CallscreenError):
    """A later release wrote the folder: this one would not understand it."""

    reason = "FORMAT_TOO_NEW"
    default = "The data folder was written by a later release."


class KeyTooLong(InvalidInput):
    """A key whose parts together are longer than the store holds."""

    reason = "KEY_TOO_LONG"
    default = "The parts of the key are too long."


__all__ = [
    "NO_SPACE",
    "Fenced",
    "FormatTooNew",
    "KeyTooLong",
    "NotLeader",
    "StoreClosed",
    "StoreFailed",
    "StoreFull",
    "StoreInUse",
]
