"""Every URL of the API, as one table. A provisioned object costs a line.

1. The parts of an object's URL are the key fields of its type, in order: the whole key names one
   object, each shorter part of it a collection.
2. A path that no line names has the documented answer to an unknown object; a method that its line
   does not name is not allowed.
3. A line needs a token unless it says otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

from ..schema import PRODUCTS, TYPES
from . import audio, bulk, jobs, objects, passwords, records, sessions
from .call import Handler
from .errors import no_object

__all__ = ["METHODS", "ROUTES", "Access", "Route", "find"]

METHODS: Final = ("GET", "POST", "PUT", "DELETE")  # in the order of Allow
SHOWN: Final = 250  # characters of an unknown path that are said back


class Access(Enum):
    """What a line asks of its callers."""

    TOKEN = "token"  # noqa: S105  # without one: code 401
    ANY = "any"  # a token counts where there is one
    NONE = "none"  # a token is not looked at


class Route(NamedTuple):
    """One line: the URL's first part, the fields in the parts after it, and what may be done."""

    object: str  # import/<type> and export/<type> have two parts
    type: str  # of the objects it answers; cdr for call records, job for jobs
    keys: tuple[str, ...]
    methods: Mapping[str, Handler]
    products: tuple[str, ...] = PRODUCTS
    access: Access = Access.TOKEN
    tail: str = ""  # a last part that stands for no field

    @property
    def public(self) -> bool:
        """Whether it may be called without a token."""
        return self.access is not Access.TOKEN

    @property
    def reads_token(self) -> bool:
        """Whether a token is looked at."""
        return self.access is not Access.NONE

    @property
    def allow(self) -> str:
        """The value of the Allow header."""
        return ", ".join(method for method in METHODS if method in self.methods)

    def path(self, product: str) -> str:
        """The URL's path with its fields in braces."""
        keys = (f"{{{key}}}" for key in self.keys)
        tail = (self.tail,) if self.tail else ()
        return "/".join((f"/{product}/api/{self.object}", *keys, *tail))

    def key_of(self, segments: Sequence[str]) -> tuple[str, ...]:
        """The parts of a path that stand for fields."""
        first = self.object.count("/") + 1
        return tuple(segments[first : first + len(self.keys)])


COLLECTION: Final = MappingProxyType({"GET": objects.list_, "POST": bulk.create})
ITEM: Final = MappingProxyType(
    {
        "GET": objects.read,
        "POST": objects.create,
        "PUT": objects.put,
        "DELETE": objects.remove,
    }
)
AUDIO_COLLECTION: Final = MappingProxyType({"GET": objects.list_, "POST": audio.create})
AUDIO: Final = MappingProxyType(
    {
        "GET": audio.download,
        "POST": audio.create_named,
        "PUT": audio.put,
        "DELETE": objects.remove,
    }
)
SETTINGS: Final = MappingProxyType({"GET": objects.own_settings, "PUT": objects.put_own_settings})


def _post(handler: Handler) -> Mapping[str, Handler]:
    return MappingProxyType({"POST": handler})


def _get(handler: Handler) -> Mapping[str, Handler]:
    return MappingProxyType({"GET": handler})


def _provisioned(
    type_: str,
    collection: Mapping[str, Handler] = COLLECTION,
    item: Mapping[str, Handler] = ITEM,
) -> Iterator[Route]:
    kind = TYPES[type_]
    for length in range(len(kind.key)):
        yield Route(type_, type_, kind.key[:length], collection, kind.products)
    yield Route(type_, type_, kind.key, item, kind.products)


def _bulk(verb: str, handler: Handler) -> Iterator[Route]:
    """The lines of a verb for every type that has a CSV form."""
    for kind in TYPES.values():
        if kind.shape.rules.csv:
            for length in range(len(kind.key)):
                keys = kind.key[:length]
                yield Route(f"{verb}/{kind.type}", kind.type, keys, _post(handler), kind.products)


def _records(object_: str, *products: str) -> Iterator[Route]:
    for keys in ((), ("service_provider",), ("service_provider", "subscriber")):
        yield Route(object_, "cdr", keys, _get(records.query), products)


ROUTES: Final[Sequence[Route]] = (
    Route(*("authenticate", "authenticate", ()), _post(sessions.authenticate), access=Access.NONE),
    Route("logout", "logout", (), _post(sessions.log_out)),
    Route("password", "password", (), _post(passwords.redeem), access=Access.NONE),
    *_provisioned("administrator"),
    Route(
        *("administrator", "administrator", TYPES["administrator"].key),
        _post(passwords.reset),
        access=Access.ANY,
        tail="reset",
    ),
    *_provisioned("service_provider"),
    *_provisioned("service_selection_criteria"),
    *_provisioned("screening_rule"),
    *_provisioned("audio", AUDIO_COLLECTION, AUDIO),
    *_provisioned("subscriber"),
    *_provisioned("number"),
    *_provisioned("origination_source"),
    Route("settings", "settings", (), SETTINGS),
    *_bulk("import", bulk.import_),
    *_bulk("export", bulk.export),
    Route("job", "job", (), _get(jobs.list_)),
    Route(*("job", "job", ("id",)), MappingProxyType({"GET": jobs.read, "DELETE": jobs.cancel})),
    Route("job", "job", ("id",), _get(jobs.log), tail="log"),
    Route("job", "job", ("id",), _get(jobs.file), tail="file"),
    *_records("pcs_cdr", "pcs"),
    *_records("cin_cdr", "cin"),
    *_records("cdr", *PRODUCTS),
)
_INDEX: Final = {
    (product, route.object, len(route.keys), route.tail): route
    for route in ROUTES
    for product in route.products
}


def find(product: str, segments: Sequence[str]) -> Route:
    """The line that answers a path.

    Raises:
        ApiError: the documented "404" of an unknown object.
    """
    if segments and all(segments):
        first, rest = segments[0], len(segments) - 1
        route = _INDEX.get((product, first, rest, ""))
        if route is None and rest:
            route = _INDEX.get((product, first, rest - 1, segments[-1])) or _INDEX.get(
                (product, f"{first}/{segments[1]}", rest - 1, "")
            )
        if route is not None:
            return route
    raise no_object("/".join(segments)[:SHOWN])
