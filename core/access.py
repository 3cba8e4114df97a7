"""Who may do what: one table.

Invariants:
1. What the table does not allow is denied.
2. A principal's place is a path: () the platform, (provider,), (provider, subscriber). It reaches
   what is at its place or below, and nothing beside or above.
3. A token is of one product and reaches no other; only the service principal is of both.
4. A read outside its reach looks not provisioned; a write there is denied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from .errors import PermissionDenied

PLATFORM_OWNER: Final = "platform_owner"
SERVICE_PROVIDER: Final = "service_provider"
SUBSCRIBER: Final = "subscriber"
SERVICE: Final = "service"

Place = tuple[str, ...]


class Verb(Enum):
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


_READ = frozenset({Verb.READ})
_CHANGE = frozenset({Verb.READ, Verb.UPDATE})
_ALL = frozenset(Verb)

# role -> what it may do to objects of a type within its reach. "*": every type not named.
# cdr, screening, replication and password are no object types; the same table guards them.
TABLE: Final[Mapping[str, Mapping[str, frozenset[Verb]]]] = {
    SERVICE: {"*": _ALL},
    PLATFORM_OWNER: {"*": _ALL, "cdr": _READ, "screening": _READ, "replication": frozenset()},
    SERVICE_PROVIDER: {
        "service_provider": _CHANGE,
        "administrator": _ALL,
        # Criteria claim calls by their source or country, whoever's numbers they are for: the
        # platform gives them out.
        "service_selection_criteria": _READ,
        "screening_rule": _ALL,
        "audio": _ALL,
        "subscriber": _ALL,
        "number": _ALL,
        "origination_source": _ALL,
        "settings": _ALL,
        "cdr": _READ,
        "screening": _READ,
    },
    SUBSCRIBER: {
        "subscriber": _CHANGE,
        "number": _CHANGE,
        "cdr": _READ,
    },
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. `product` is empty for the service principal; `token` is the digest shown."""

    username: str
    role: str
    provider: str = ""
    subscriber: str = ""
    product: str = ""
    token: bytes = b""

    @property
    def place(self) -> Place:
        return tuple(part for part in (self.provider, self.subscriber) if part)

    @property
    def role_id(self) -> str:
        """The role as administrators hold it; empty for the service principal."""
        return "" if self.role == SERVICE else ":".join((self.role, *self.place))

    def may(self, product: str, type_: str, verb: Verb) -> bool:
        """Whether the table allows the verb anywhere in the caller's reach."""
        if self.product != product and self.role != SERVICE:
            return False
        rights = TABLE[self.role]
        return verb in rights.get(type_, rights.get("*", frozenset()))

    def reaches(self, place: Place) -> bool:
        """Whether a place is the caller's own or below it."""
        own = self.place
        return place[: len(own)] == own

    def knows(self, place: Place) -> bool:
        """Whether a place is in the caller's reach, or one that the caller itself lies below."""
        return self.reaches(place) or self.place[: len(place)] == place

    def sees(self, product: str, type_: str, key: Sequence[str]) -> bool:
        return self.may(product, type_, Verb.READ) and self.reaches(place_of(type_, key))

    def require(self, product: str, type_: str, key: Sequence[str], verb: Verb) -> None:
        """Raises PermissionDenied unless the table allows it and the object is within reach."""
        if not (self.may(product, type_, verb) and self.reaches(place_of(type_, key))):
            raise PermissionDenied


def service(username: str = SERVICE) -> Principal:
    """The principal of internal services: may all, in both products."""
    return Principal(username=username, role=SERVICE)


def principal(product: str, username: str, role_id: str, token: bytes = b"") -> Principal:
    """Who an administrator's role_id stands for. ValueError for a role_id of no known form."""
    role, place = parse_role(role_id)
    provider, subscriber = (*place, "", "")[:2]
    return Principal(username, role, provider, subscriber, product, token)


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


def place_of(type_: str, key: Sequence[str]) -> Place:
    """Whose an object is, read from its key alone."""
    if type_ == "administrator":
        try:
            return parse_role(key[0])[1] if key else ()
        except ValueError:
            return ()
    if type_ == "settings":
        return tuple(part for part in key[:1] if part)
    return tuple(key[: 2 if type_ in ("subscriber", "number", "cdr") else 1])


__all__ = [
    "PLATFORM_OWNER",
    "SERVICE",
    "SERVICE_PROVIDER",
    "SUBSCRIBER",
    "TABLE",
    "Place",
    "Principal",
    "Verb",
    "parse_role",
    "place_of",
    "principal",
    "service",
]
