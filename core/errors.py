"""What can go wrong in the core, by what the caller can do about it.

Invariants:
1. Every error that the core raises on purpose derives from CallscreenError.
2. An error's text is a documented sentence, fit for a stranger; what caused it goes to the log.
3. Nothing here knows of gRPC or REST: services/status.py holds the one map to codes.
"""

from collections.abc import Iterable
from typing import NamedTuple

DENIED = "You do not have permission to perform that operation."
LOGIN_FAILED = "The username and password provided were not correct."
TOKEN_FAILED = "The authentication token is missing, expired or not valid."  # noqa: S105


class Violation(NamedTuple):
    """One field that was refused: its path, a code as in schema.FieldError, and a sentence."""

    field: str
    code: str
    message: str


class CallscreenError(Exception):
    """The base of all. `reason` is a stable word for machines, in upper case."""

    reason = "ERROR"
    default = "The operation failed."

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.default)

    @property
    def message(self) -> str:
        return str(self)


class InvalidInput(CallscreenError):
    """The request is wrong and will stay wrong: mend the fields named."""

    reason = "INVALID_INPUT"
    default = "The request is not valid."

    def __init__(self, message: str = "", errors: Iterable[tuple[str, str, str]] = ()) -> None:
        self.errors = tuple(Violation(*error) for error in errors)
        super().__init__(message or (self.errors[0].message if self.errors else ""))


class NotFound(CallscreenError):
    """No such object, or none that this caller may see."""

    reason = "NOT_FOUND"
    default = "The object is not provisioned."


class AlreadyExists(CallscreenError):
    """The key is taken."""

    reason = "ALREADY_EXISTS"
    default = "The object exists already."


class Taken(InvalidInput):
    """Nothing is wrong but that others hold what must be unique: name another value."""

    reason = "TAKEN"


class PermissionDenied(CallscreenError):
    """The caller is known and may not do this."""

    reason = "PERMISSION_DENIED"
    default = DENIED


class Unauthenticated(CallscreenError):
    """Nobody, or nobody any more: log in."""

    reason = "UNAUTHENTICATED"
    default = TOKEN_FAILED


class Conflict(CallscreenError):
    """The data moved on since it was read: read again and retry."""

    reason = "CONFLICT"
    default = "The object has changed since it was read."


class Compacted(CallscreenError):
    """The log does not reach back to there, or the token is another store's: take a snapshot."""

    reason = "COMPACTED"
    default = "The change log does not hold that revision: take a snapshot."


class TooMuch(CallscreenError):
    """A limit on rate or space is reached: wait, or ask for less."""

    reason = "RESOURCE_EXHAUSTED"
    default = "Too many requests: try again later."


class Unavailable(CallscreenError):
    """Not now: the core is starting, stopping or busy. The same request may succeed later."""

    reason = "UNAVAILABLE"
    default = "The service is not available: try again later."


__all__ = [
    "DENIED",
    "LOGIN_FAILED",
    "TOKEN_FAILED",
    "AlreadyExists",
    "CallscreenError",
    "Compacted",
    "Conflict",
    "InvalidInput",
    "NotFound",
    "PermissionDenied",
    "Taken",
    "TooMuch",
    "Unauthenticated",
    "Unavailable",
    "Violation",
]
