"""What every write of an object goes through, whichever command it came by.

Invariants:
1. The order is: complete, normalise, validate, may the caller, do the references exist, are the
   unique values free, does the platform let a provider's settings be its own. What a caller may
   not touch tells nothing of what exists.
2. A PIN is hashed once it has passed; a value that looks like a hash is believed only where it is
   the one already stored.
3. `created` is kept for the object's life; `modified` is this transaction's.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from ...schema import TYPES, FieldError, Invalid, ObjectType, body_of, field_error, format_name
from ...v1.object_pb2 import Object, Stamps
from ...v1.rules_pb2 import Format
from ..access import Principal, Verb, place_of
from ..pins import SALT_BYTES, hash_pin, is_hashed
from .draft import Draft
from .grants import check_grants, check_mail, check_owner, settle_groups
from .means import Means
from .overrides import check_overrides
from .source_rights import foreign_fields

MADE_UP_BYTES: Final = 8  # random bytes of a generated key


@dataclass(slots=True)
class Subject:
    """One object on its way: its body, where it was told to be, and what stood there."""

    kind: ObjectType
    product: str
    body: Any
    given: tuple[str, ...] = ()  # key parts of the name or parent, in normal form
    old: Object | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return self.kind.key_of(self.body)


def refused(kind: ObjectType, field: str, code: str, what: str) -> Invalid:
    """One field's error in the documented form."""
    return Invalid([field_error(kind.class_name, field, code, what)])


def fill_key(subject: Subject) -> None:
    """Key parts that the body leaves out are those of its name."""
    for field, part in zip(subject.kind.key, subject.given, strict=False):
        if not subject.body.HasField(field):
            setattr(subject.body, field, part)


def same_key(subject: Subject) -> None:
    """Refuses a body that names another place than its parent or name does. Raises Invalid."""
    for field, part, given in zip(subject.kind.key, subject.key, subject.given, strict=False):
        if part != given:
            raise refused(subject.kind, field, "not_accepted", "must be that of the path")


def settle(draft: Draft, subject: Subject, means: Means, kept: Collection[str] = ()) -> None:
    """Brings the body into the form in which it is held. Raises Invalid.

    `kept`: number lists (of list_fields) that are as they stand in `old`. They have passed all
    this, and a provider's may have a million entries: they are left out of it.
    """
    kind, product, body = subject.kind, subject.product, subject.body
    old = None if subject.old is None else body_of(subject.old)
    for field in kept:
        body.ClearField(field)
    keep_managed(kind, body, old)
    kind.keep_masked(body, old)
    if kind.generated and not getattr(body, kind.generated):
        setattr(body, kind.generated, f"{kind.type}_{means.random(MADE_UP_BYTES).hex()}")
    kind.complete(body, product)
    kind.normalise(body, product, draft.default_cc(product))
    kind.validate(body, product)
    hash_pins(kind, body, means)
    for field in kept:
        getattr(body, field).MergeFrom(getattr(old, field))


@cache
def list_fields(kind: ObjectType) -> tuple[str, ...]:
    """The lists of numbers: each entry is judged by itself, and an empty list is right."""
    return tuple(
        field.name
        for field in kind.fields
        if field.repeated and field.rules.format == Format.LIST_ENTRY
    )


@cache
def managed_fields(kind: ObjectType) -> tuple[str, ...]:
    """What the core alone sets."""
    return tuple(field.name for field in kind.fields if field.rules.managed)


def keep_managed(kind: ObjectType, body: Any, old: Any) -> None:
    """Such fields are as they stand in `old`, in place."""
    for field in managed_fields(kind):
        body.ClearField(field)
        if old is not None and old.HasField(field):
            setattr(body, field, getattr(old, field))


def missing_references(draft: Draft, subject: Subject, caller: Principal) -> list[FieldError]:
    """What an object refers to and is not there, or not within the caller's knowledge."""
    kind, product = subject.kind, subject.product
    return [
        field_error(kind.class_name, field, "reference", f"must name an existing {type_}")
        for field, type_, key in kind.references(subject.body)
        if not (caller.knows(place_of(type_, key)) and draft.exists(TYPES[type_], product, key))
    ]


def check_links(draft: Draft, subject: Subject, caller: Principal) -> None:
    """References exist and unique values are free, or held by what stood there before.

    What lies outside the caller's reach does not exist for it. Raises Invalid.
    """
    kind, product, body = subject.kind, subject.product, subject.body
    errors = missing_references(draft, subject, caller)
    was = None if subject.old is None else subject.old.name
    for field, value in kind.uniques(body):
        holder = draft.holder(product, kind.type, field, value)
        if holder is not None and holder != was:
            errors.append(field_error(kind.class_name, field, "unique", "must be unique"))
    old = None if subject.old is None else body_of(subject.old)
    provider = subject.key[0] if subject.key else ""
    errors += foreign_fields(draft, caller, product, kind.type, provider, body, old)
    if errors:
        raise Invalid(errors)


def stamped(draft: Draft, subject: Subject) -> Object:
    """The object as it is stored: name, stamps and body."""
    obj = Object(name=format_name(subject.product, subject.kind.type, subject.key))
    getattr(obj, subject.kind.type).CopyFrom(subject.body)
    stamp(draft, obj.stamps, None if subject.old is None else subject.old.stamps)
    return obj


def stamp(draft: Draft, stamps: Stamps, old: Stamps | None) -> None:
    stamps.modified.FromNanoseconds(int(draft.now * 1e9))
    stamps.modified_by = draft.actor
    stamps.created.CopyFrom(stamps.modified if old is None else old.created)
    stamps.created_by = draft.actor if old is None else old.created_by


def place(draft: Draft, subject: Subject, caller: Principal, verb: Verb) -> Object:
    """The end of every write that keeps its key: may it, does all it names exist, put it."""
    kind, product = subject.kind, subject.product
    caller.require(product, kind.type, subject.key, verb)
    old: Any = None if subject.old is None else body_of(subject.old)
    if kind.type == "administrator":
        settle_groups(product, subject.body, old)
        check_grants(caller, product, old, subject.body)
        check_owner(draft, product, old, subject.body)
    if kind.type == "settings":
        check_mail(caller, product, old, subject.body)
    check_links(draft, subject, caller)
    check_overrides(draft, kind, product, subject.body, old)
    obj = stamped(draft, subject)
    draft.put(kind, product, obj, subject.old)
    return obj


@cache
def _pin_fields(kind: ObjectType) -> tuple[str, ...]:
    return tuple(field.name for field in kind.fields if field.rules.format == Format.PIN)


def hash_pins(kind: ObjectType, body: Any, means: Means) -> None:
    """Puts keyed hashes where PINs stand, in place."""
    for field in _pin_fields(kind):
        value = getattr(body, field)
        if value and not is_hashed(value):
            setattr(body, field, hash_pin(means.pepper, means.random(SALT_BYTES), value))


__all__ = [
    "Subject",
    "check_links",
    "fill_key",
    "hash_pins",
    "list_fields",
    "managed_fields",
    "missing_references",
    "place",
    "refused",
    "same_key",
    "settle",
    "stamp",
    "stamped",
]
