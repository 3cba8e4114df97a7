"""A page of ten among a million subscribers, beside the same page among a thousand.

Each query is asked of both stores in the same run, through the command that serves it; and what
the index of columns costs a write is told beside the same write without it.
"""

import math
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

from callscreen.core.access import service
from callscreen.core.commands.list_objects import Page, list_objects
from callscreen.core.indexing import changes
from callscreen.core.store.contract import COLUMNS, UNIQUE, Batch, IndexPut, Key, Put
from callscreen.core.store.lmdb import LmdbStore
from callscreen.schema import TYPES, body_of, format_name
from callscreen.v1.object_pb2 import Object
from callscreen.v1.provisioning_pb2 import TableQuery

__all__ = ["filled", "main", "once", "pages"]

MANY, FEW = 1_000_000, 1_000  # subscribers
PROVIDERS = 10
FIRST = 3  # the provider whose subscribers are searched for
BATCH = 5_000  # objects in one transaction
ROUNDS = 30  # times that each page is asked for; the median is told
WRITES = 50_000
QUERIES: tuple[tuple[str, str, dict[str, str], dict[str, int]], ...] = (
    ("sorted, one provider's", "pcs/subscriber/p3", {"sort": "display_name"}, {}),
    ("sorted backwards", "pcs/subscriber/p3", {"sort": "display_name desc"}, {}),
    ("sorted, all providers'", "pcs/subscriber", {"sort": "display_name"}, {}),
    ("sorted backwards, all", "pcs/subscriber", {"sort": "display_name desc"}, {}),
    ("by two columns", "pcs/subscriber", {"sort": "last_name,first_name desc"}, {}),
    ("last changed first, all", "pcs/subscriber", {"sort": "modified desc"}, {}),
    ("searched for, one provider's", "pcs/subscriber/p3", {"search": "email:{email}"}, {}),
    ("searched for, all", "pcs/subscriber", {"search": "email:{email}"}, {}),
    ("changed in a second", "pcs/subscriber", {"search": "modified:{second}"}, {}),
    ("by name, all", "pcs/subscriber", {"search": "name:{name}"}, {}),
    ("in key order", "pcs/subscriber/p3", {}, {}),
    ("in key order, all", "pcs/subscriber", {}, {}),
    ("sorted by name, all", "pcs/subscriber", {"sort": "name desc"}, {}),
    ("a number", "pcs/number", {"search": "number:{number}"}, {}),
    ("numbers sorted", "pcs/number", {"sort": "number desc"}, {}),
    ("a nickname", "pcs/number", {"search": "nickname:{nickname}"}, {}),
    ("page 51, sorted, all", "pcs/subscriber", {"sort": "display_name"}, {"skip": 500}),
)


def changed(place: int, count: int) -> int:
    """When a subscriber was changed: each at a second of its own, in no order. Unix seconds."""
    return 1_800_000_000 + place * 7919 % count


def objects(count: int) -> Iterator[Object]:
    """Subscribers of ten providers, each with a number, in the order of their keys."""
    chance = random.Random(1)
    for place in range(count):
        provider, name = f"p{place * PROVIDERS // count}", f"s{place:07}"
        made = Object()
        made.stamps.created.FromSeconds(1_800_000_000 + place)
        made.stamps.modified.FromSeconds(changed(place, count))
        made.stamps.created_by = made.stamps.modified_by = "bench"
        body = made.subscriber
        body.service_provider_name, body.name = provider, name
        body.display_name = f"Subscriber {chance.randrange(10**9)}"
        body.first_name = f"First{chance.randrange(1_000)}"
        body.last_name = f"Last{chance.randrange(count // 20 + 1)}"
        body.email = f"{name}@example.com"
        body.phone = f"+1585{chance.randrange(10**7):07}"
        body.service_enabled = True
        yield made
        number = Object(stamps=made.stamps)
        number.number.service_provider_name, number.number.subscriber_name = provider, name
        number.number.number = f"+1{2_000_000_000 + place * 7919 % 10**9}"
        if place % 10 == 0:
            number.number.nickname = f"line {place}"
        yield number


def written(some: list[Object], indexed: bool) -> Callable[[Any], Batch]:
    """A batch that puts these objects."""
    writes, marks = [], []
    for obj in some:
        kind = TYPES[obj.WhichOneof("kind") or ""]
        body = body_of(obj)
        path = kind.path_of(kind.key_of(body))
        obj.name = format_name("pcs", kind.type, kind.key_of(body))
        writes.append(Put(Key("pcs", kind.type, path), obj.SerializeToString()))
        for field, value in kind.uniques(body):
            key = "\0".join(("pcs", kind.type, field, value)).encode()
            marks.append(IndexPut(UNIQUE, key, obj.name.encode()))
        if indexed:
            made = changes(kind, "pcs", path, None, obj)
            marks += [IndexPut(COLUMNS, key, b"") for key, _ in made]
    batch = Batch(writes, lambda revision: b"", (), marks)
    return lambda reader: batch


@contextmanager
def filled(count: int) -> Iterator[LmdbStore]:
    """A store with so many subscribers, below build/, on a real disk."""
    build = Path(__file__).parent.parent / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as folder:
        store = LmdbStore(Path(folder) / "objects")
        try:
            put(store, objects(count))
            yield store
        finally:
            store.close()


def put(store: LmdbStore, made: Iterator[Object], indexed: bool = True) -> None:
    """Puts objects, BATCH in a transaction."""
    some: list[Object] = []
    for obj in made:
        some.append(obj)
        if len(some) == BATCH:
            store.transact([written(some, indexed)])
            some = []
    if some:
        store.transact([written(some, indexed)])


def once(
    store: LmdbStore, count: int, place: int, parent: str, query: dict[str, str], page: Any
) -> Page:
    """A page; what is searched for is a subscriber's, by its place among so many."""
    core: Any = SimpleNamespace(store=store)
    held = {
        "name": f"s{place:07}",
        "email": f"s{place:07}@example.com",
        "number": f"+1{2_000_000_000 + place * 7919 % 10**9}",
        "nickname": f"line {place // 10 * 10}",
        "second": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(changed(place, count))),
    }
    asked = TableQuery(**{name: text.format(**held) for name, text in query.items()})
    return list_objects(core, service(), parent, asked, 10, "", page.get("skip", 0))


def took(store: LmdbStore, count: int, parent: str, query: dict[str, str], page: Any) -> float:
    """Microseconds that a page takes: the median, each time for another value."""
    chance = random.Random(2)
    times = []
    for _ in range(ROUNDS):
        place = FIRST * count // PROVIDERS + chance.randrange(count // PROVIDERS)
        begun = time.perf_counter()
        once(store, count, place, parent, query, page)
        times.append(time.perf_counter() - begun)
    return median(times) * 1e6


def pages(many: int, few: int) -> None:
    """Prints each query's time in both stores."""
    with filled(few) as small, filled(many) as large:
        for title, parent, query, page in QUERIES:
            one = took(small, few, parent, query, page)
            other = took(large, many, parent, query, page)
            print(
                f"  {title:<30} {other:9,.0f} us among {many:,}, {one:7,.0f} us among {few:,}:"
                f" {other / one:.2f} x",
                flush=True,
            )


def writes(count: int) -> None:
    """Prints what the index costs in processor time: the same objects, with it and without."""
    for kind in ("number", "subscriber"):
        made = [obj for obj in objects(count) if obj.WhichOneof("kind") == kind]
        took = {True: math.inf, False: math.inf}  # microseconds an object, the best of two runs
        for indexed in (False, True, False, True):
            with filled(0) as store:
                begun = time.process_time()
                put(store, iter(made), indexed)
                each = (time.process_time() - begun) / len(made) * 1e6
            took[indexed] = min(took[indexed], each)
        print(
            f"  a {kind} put: {took[True]:.1f} us, {took[False]:.1f} us without the"
            f" {len(TYPES[kind].indexed)} indexes of its columns"
        )


def main() -> None:
    """Prints every figure; fewer subscribers where a number is given."""
    writes(WRITES)
    pages(MANY, FEW)


if __name__ == "__main__":
    MANY = int(sys.argv[1]) if sys.argv[1:] else MANY
    main()
