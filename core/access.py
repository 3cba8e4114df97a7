"""Who may do what, and where: the table of permissions.py, and the caller's place.

Invariants:
1. What the table does not allow is denied.
2. A principal's place is a path: () the platform, (provider,), (provider, subscriber). It reaches
   what is at its place or below, and nothing beside or above.
3. A token is of one product and reaches no other; only the service principal is of both.
4. A read outside its reach looks not provisioned; a write there is denied.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .errors import PermissionDenied
from .permissions import (
    LEVELS,
    NONE,
    PLATFORM_OWNER,
    SERVICE,
    SERVICE_PROVIDER,
    SUBSCRIBER,
    Rights,
    Verb,
    default_of,
    lies_within,
    rights_of,
)

Place = tuple[str, ...]

# Objects whose key begins with a role.
OF_A_ROLE: Final = ("administrator", "password")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. `product` is empty for the service principal; `token` is the digest shown.

    `permissions` are its groups; none stands for its role's default.
    """

    username: str
    role: str
    provider: str = ""
    subscriber: str = ""
    product: str = ""
    token: bytes = b""
    permissions: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        return tuple(part for part in (self.provider, self.subscriber) if part)

    @property
    def role_id(self) -> str:
        """The role as administrators hold it; empty for the service principal."""
        return "" if self.role == SERVICE else ":".join((self.role, *self.place))

    @property
    def rights(self) -> Rights:
        """What it may do to which objects; of the service principal, which may all, nothing."""
        return rights_of(self.product, self.role, self.permissions)

    @property
    def groups(self) -> tuple[str, ...]:
        """Its permission groups; the service principal has none."""
        return () if self.role == SERVICE else self.permissions or default_of(self.role)

    def may(self, product: str, type_: str, verb: Verb) -> bool:
        """Whether it is granted the verb anywhere in the caller's reach, on any level."""
        if self.role == SERVICE:
            return True
        if self.product != product:
            return False
        rights = self.rights
        return any(verb in rights.get(name, NONE) for name in guarded(type_))

    def may_at(self, product: str, type_: str, key: Sequence[str], verb: Verb) -> bool:
        """Whether it is granted the verb on objects of that key's level, wherever they are."""
        if self.role == SERVICE:
            return True
        granted = self.rights.get(guarded_at(type_, key), NONE)
        return self.product == product and verb in granted

    def outranks(self, product: str, other: "Principal") -> bool:
        """Whether all that another may do is granted to this one too, wherever that is."""
        if self.role == SERVICE:
            return True
        return self.product == product and lies_within(other.rights, self.rights)

    def reaches(self, place: Place) -> bool:
        """Whether a place is the caller's own or below it."""
        own = self.place
        return place[: len(own)] == own

    def knows(self, place: Place) -> bool:
        """Whether a place is in the caller's reach, or one that the caller itself lies below."""
        return self.reaches(place) or self.place[: len(place)] == place

    def sees(self, product: str, type_: str, key: Sequence[str]) -> bool:
        return self.may_at(product, type_, key, Verb.READ) and self.reaches(place_of(type_, key))

    def readable(self, product: str, type_: str, path: Place) -> Place | None:
        """The part of what the store holds below a path that it may read, as a path.

        None where it may read nothing of it, or what it may read is no such part: administrators
        of some levels are then listed by their role.
        """
        if self.role == SERVICE:
            return path
        parts = levels_below(type_, path)
        held = [part for name, part in parts if Verb.READ in self.rights.get(name, NONE)]
        if self.product != product or not held:
            return None
        return path if len(held) == len(parts) else held[0] if len(held) == 1 else None

    def require(self, product: str, type_: str, key: Sequence[str], verb: Verb) -> None:
        """Raises PermissionDenied unless it is granted and the object is within reach."""
        if not (self.may_at(product, type_, key, verb) and self.reaches(place_of(type_, key))):
            raise PermissionDenied


def service(username: str = SERVICE) -> Principal:
    """The principal of internal services: may all, in both products."""
    return Principal(username=username, role=SERVICE)


def principal(
    product: str,
    username: str,
    role_id: str,
    permissions: Sequence[str] = (),
    token: bytes = b"",
) -> Principal:
    """Who an administrator's role_id and groups stand for.

    ValueError for a role_id of no known form.
    """
    role, place = parse_role(role_id)
    provider, subscriber = (*place, "", "")[:2]
    return Principal(username, role, provider, subscriber, product, token, tuple(permissions))


def parse_role(role_id: str) -> tuple[str, Place]:
    """platform_owner | service_provider:<name> | subscriber:<provider>:<name> -> role and place.

    A provider's name may hold no colon where a subscriber follows it. Raises ValueError.
    """
    role, _, rest = role_id.partition(":")
    if role == PLATFORM_OWNER and not rest:
        return role, ()
    if role == SERVICE_PROVIDER and rest:
        return role, (rest,)
    provider, _, subscriber = rest.partition(":")
    if role == SUBSCRIBER and provider and subscriber:
        return role, (provider, subscriber)
    raise ValueError("no role: " + repr(role_id))


def guarded(type_: str) -> tuple[str, ...]:
    """The names under which the table has a type: one, or one a level."""
    if type_ == "administrator":
        return tuple(f"{type_}:{role}" for role in (PLATFORM_OWNER, SERVICE_PROVIDER, SUBSCRIBER))
    if type_ == "settings":
        return tuple(f"{type_}:{role}" for role in (PLATFORM_OWNER, SERVICE_PROVIDER))
    return (type_,)


def guarded_at(type_: str, key: Sequence[str]) -> str:
    """The name under which the table has the objects of a key."""
    if type_ == "administrator":
        role = key[0].partition(":")[0] if key else ""
        return f"{type_}:{role if role in LEVELS else PLATFORM_OWNER}"
    if type_ == "settings":
        return f"{type_}:{SERVICE_PROVIDER if key and key[0] else PLATFORM_OWNER}"
    return type_


def levels_below(type_: str, path: Place) -> list[tuple[str, Place | None]]:
    """The names of what may lie below a path of the store, each with its own path, if it has one.

    An administrator's path is (provider, subscriber, username), settings' is (provider,).
    """
    platform, provider, subscriber = (f"{type_}:{role}" for role in reversed(LEVELS))
    if type_ == "settings":
        if not path:
            return [(platform, ("",)), (provider, None)]
        return [(provider if path[0] else platform, path)]
    if type_ != "administrator":
        return [(type_, path)]
    if not path:
        return [(platform, ("", "")), (provider, None), (subscriber, None)]
    if not path[0]:
        return [(platform, ("", "", *path[2:]))]
    if len(path) == 1:
        return [(provider, (*path, "")), (subscriber, None)]
    return [(subscriber if path[1] else provider, path)]


def place_of(type_: str, key: Sequence[str]) -> Place:
    """Whose an object is, read from its key alone.

    A job's key says nothing of it: a job's place is that of the role that began it.
    """
    if type_ in OF_A_ROLE:
        try:
            return parse_role(key[0])[1] if key else ()
        except ValueError:
            return ()
    if type_ == "settings":
        return tuple(part for part in key[:1] if part)
    if type_ == "job":
        return ()
    return tuple(key[: 2 if type_ in ("subscriber", "number", "cdr") else 1])


__all__ = [
    "PLATFORM_OWNER",
    "SERVICE",
    "SERVICE_PROVIDER",
    "SUBSCRIBER",
    "Place",
    "Principal",
    "Verb",
    "guarded",
    "guarded_at",
    "levels_below",
    "parse_role",
    "place_of",
    "principal",
    "service",
]
