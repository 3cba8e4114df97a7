"""Every URL of the API, as one table. A provisioned object costs a line.

1. The parts of an object's URL are the key fields of its type, in order: the whole key names one
   object, each shorter part of it a collection.
2. A path that no line names has the documented answer to an unknown object; a method that its line
   does not name is not allowed.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from ..schema import PRODUCTS, TYPES
from . import objects, records, sessions
from .call import Handler
from .errors import no_object

__all__ = ["METHODS", "ROUTES", "Route", "find"]

METHODS: Final = ("GET", "POST", "PUT", "DELETE")  # in the order of Allow
SHOWN: Final = 250  # characters of an unknown path that are said back


class Route(NamedTuple):
    """One line: the URL's first part, the fields in the parts after it, and what may be done."""

    object: str
    type: str  # of the objects it answers; cdr for call records
    keys: tuple[str, ...]
    methods: Mapping[str, Handler]
    products: tuple[str, ...] = PRODUCTS
    public: bool = False  # asks for no token

    @property
    def allow(self) -> str:
        """The value of the Allow header."""
        return ", ".join(method for method in METHODS if method in self.methods)

    def path(self, product: str) -> str:
        """The URL's path with its fields in braces."""
        return "/".join((f"/{product}/api/{self.object}", *(f"{{{key}}}" for key in self.keys)))


COLLECTION: Final = MappingProxyType({"GET": objects.list_, "POST": objects.create})
ITEM: Final = MappingProxyType(
    {
        "GET": objects.read,
        "POST": objects.create,
        "PUT": objects.put,
        "DELETE": objects.remove,
    }
)
SETTINGS: Final = MappingProxyType({"GET": objects.own_settings, "PUT": objects.put_own_settings})


def _provisioned(type_: str) -> Iterator[Route]:
    kind = TYPES[type_]
    for length in range(len(kind.key)):
        yield Route(type_, type_, kind.key[:length], COLLECTION, kind.products)
    yield Route(type_, type_, kind.key, ITEM, kind.products)


def _records(object_: str, *products: str) -> Iterator[Route]:
    for keys in ((), ("service_provider",), ("service_provider", "subscriber")):
        yield Route(object_, "cdr", keys, MappingProxyType({"GET": records.query}), products)


ROUTES: Final[Sequence[Route]] = (
    Route(
        *("authenticate", "authenticate", ()),
        MappingProxyType({"POST": sessions.authenticate}),
        public=True,
    ),
    *_provisioned("administrator"),
    *_provisioned("service_provider"),
    *_provisioned("service_selection_criteria"),
    *_provisioned("screening_rule"),
    *_provisioned("audio"),
    *_provisioned("subscriber"),
    *_provisioned("number"),
    *_provisioned("origination_source"),
    Route("settings", "settings", (), SETTINGS),
    *_records("pcs_cdr", "pcs"),
    *_records("cin_cdr", "cin"),
    *_records("cdr", *PRODUCTS),
)
_INDEX: Final = {
    (product, route.object, len(route.keys)): route
    for route in ROUTES
    for product in route.products
}


def find(product: str, segments: Sequence[str]) -> Route:
    """The line that answers a path.

    Raises:
        ApiError: the documented "404" of an unknown object.
    """
    if segments and all(segments):
        route = _INDEX.get((product, segments[0], len(segments) - 1))
        if route is not None:
            return route
    raise no_object("/".join(segments)[:SHOWN])
