"""What is wrong with a value, said so that both a person and a program can use it.

1. Every message is `Class(): Field 'path' ...`, the form of the REST references.
2. No message repeats the value that it refuses, and all of it is plain ASCII.
3. At most MAX_ERRORS are gathered; what follows them is not looked at for reporting.
"""

from collections.abc import Iterable
from typing import NamedTuple

MAX_ERRORS = 100
MAX_NAME_SHOWN = 128  # characters of a field's name that a message repeats


class FieldError(NamedTuple):
    """One refused value: the field's path, a fixed code, and the sentence for people.

    Codes: required, type, too_long, too_short, pattern, not_accepted, format, range, too_many,
    too_few, unknown, reference, unique, read_only, product.
    """

    field: str
    code: str
    message: str


class Invalid(ValueError):
    """Refused data. Its text is the first error's message; `errors` holds all of them."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors: tuple[FieldError, ...] = tuple(errors)
        super().__init__(self.errors[0].message if self.errors else "The data is invalid.")


def field_error(class_name: str, field: str, code: str, what: str) -> FieldError:
    """The error `Class(): Field 'field' what.`; names too long or not printable are cut."""
    if len(field) > MAX_NAME_SHOWN or not (field.isascii() and field.isprintable()):
        field = ascii(field[:MAX_NAME_SHOWN])[1:-1]
    return FieldError(field, code, f"{class_name}(): Field '{field}' {what}.")


class Problem(NamedTuple):
    """A refused value before it is put in words: path, code, and what is said of the field."""

    field: str
    code: str
    what: str


class Errors:
    """Gathers the problems of one message."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, field: str, code: str, what: str) -> None:
        """Note that `field` is refused; `what` completes the sentence `Field 'x' ...`."""
        if len(self.found) < MAX_ERRORS:
            self.found.append(Problem(field, code, what))

    def required(self, field: str) -> None:
        """Note that `field` has no value and needs one."""
        self.add(field, "required", "is required, but missing")

    def too_many(self, field: str, most: int) -> None:
        """Note that a list or a map has more than `most` entries."""
        self.add(field, "too_many", f"must have at most {most} entries")

    def too_long(self, field: str, most: int) -> None:
        """Note that a text has more than `most` characters."""
        self.add(field, "too_long", f"must have at most {most} characters")

    @property
    def full(self) -> bool:
        """Whether as many are gathered as will be told."""
        return len(self.found) >= MAX_ERRORS

    def check(self, class_name: str) -> None:
        """Raise Invalid, in the name of that class, if anything was refused."""
        if self.found:
            raise Invalid(field_error(class_name, *problem) for problem in self.found)
