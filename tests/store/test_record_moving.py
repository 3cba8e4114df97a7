"""A folder of call records of the former format opens, and holds what it held."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from callscreen.core.store import record_moving
from callscreen.core.store.contract import FormatTooNew
from callscreen.core.store.lmdb_environment import Environment
from callscreen.core.store.lmdb_records import LmdbRecords
from callscreen.core.store.records import during, same
from callscreen.core.store.tables import (
    BY_PROVIDER,
    BY_SUBSCRIBER,
    COUNTS,
    FORMER_RECORD_TABLES,
    META,
    RECORDS,
    RECORDS_FORMAT,
    encode_number,
    encode_parts,
)
from callscreen.fastpath.records import digest
from callscreen.fastpath.rows_types import PROVIDER, START, SUBSCRIBER
from callscreen.v1.screening_pb2 import CallRecord

DAY = 86_400
FIRST = 1_700_000_000  # seconds


def record(place: int) -> CallRecord:
    """A call, an hour after the one before."""
    second = FIRST + place * 3600
    made = CallRecord(
        cdr_id=str(UUID(int=second * 1000 << 80 | 7 << 76 | place)),
        product=place % 3,  # type: ignore[arg-type]
        service_provider_name=("acme", "zeta")[place % 2],
        subscriber_name="alice",
        called_number="+1585555000",
    )
    made.start_time.FromSeconds(second)
    return made


def products(made: CallRecord) -> list[str]:
    return ["pcs", "cin"] if not made.product else [("pcs", "cin")[made.product - 1]]


def of(made: list[CallRecord], product: str) -> list[str]:
    return [each.cdr_id for each in reversed(made) if product in products(each)]


@pytest.fixture
def former(tmp_path: Path) -> list[CallRecord]:
    """Records in the tables of format 1, in the folder of the test."""
    made = [record(place) for place in range(60)]
    environment = Environment(tmp_path, (META, *FORMER_RECORD_TABLES))
    dbs = environment.dbs

    def write(txn: Any) -> None:
        for each in made:
            owner = (each.service_provider_name, each.subscriber_name)
            for product in products(each):
                key = encode_parts((product, each.cdr_id))
                txn.put(key, each.SerializeToString(), db=dbs[RECORDS])
                provider, subscriber = (product, owner[0]), (product, *owner)
                txn.put(encode_parts((*provider, each.cdr_id)), b"", db=dbs[BY_PROVIDER])
                txn.put(encode_parts((*subscriber, each.cdr_id)), b"", db=dbs[BY_SUBSCRIBER])
                txn.put(encode_parts((product,)), encode_number(1), db=dbs[COUNTS])

    environment.write(write)
    environment.close()
    return made


def ids(store: LmdbRecords, product: str = "pcs", *conditions: Any) -> list[str]:
    return [str(UUID(bytes=each.id)) for each in store.page(product, conditions)]


def moved(store: LmdbRecords, made: list[CallRecord]) -> None:
    for product in ("pcs", "cin"):
        assert ids(store, product) == of(made, product)
        assert store.count(product) == len(of(made, product))
    acme = [each for each in made if each.service_provider_name == "acme"]
    asked = [
        same(PROVIDER, digest(store.key, b"acme")),
        same(SUBSCRIBER, digest(store.key, b"acme\0alice")),
    ]
    assert ids(store, "cin", *asked) == of(acme, "cin")
    first = during(START, 0, made[9].start_time.ToNanoseconds())
    assert ids(store, "pcs", first) == of(made[:10], "pcs")
    for each in made:
        value = store.get(products(each)[0], UUID(each.cdr_id).bytes)
        assert value == each.SerializeToString()


def left(store: LmdbRecords) -> list[int]:
    with store._environment.read() as txn:
        return [txn.stat(store._dbs[each])["entries"] for each in FORMER_RECORD_TABLES]


@pytest.mark.parametrize("step", [7, 1000])
def test_records_of_the_former_format_are_moved(
    tmp_path: Path, former: list[CallRecord], monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(record_moving, "MOVE_RECORDS", step)
    for _ in range(2):  # moved, and reopened
        store = LmdbRecords(tmp_path)
        moved(store, former)
        assert left(store) == [0, 0, 0, 0]
        store.close()


class Killed(BaseException):
    """The process ended here."""


@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_move_that_was_cut_short_goes_on(
    tmp_path: Path, former: list[CallRecord], monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    step: Callable[..., bytes | None] = record_moving._step
    calls: list[int] = []

    def dying(*given: Any) -> bytes | None:
        calls.append(1)
        last = step(*given)
        if len(calls) > after:
            raise Killed
        return last

    with monkeypatch.context() as patched:
        patched.setattr(record_moving, "MOVE_RECORDS", 7)
        patched.setattr(record_moving, "_step", dying)
        with pytest.raises(Killed):
            LmdbRecords(tmp_path)
    with pytest.raises(FormatTooNew):  # the former release keeps off
        Environment(tmp_path, (META, *FORMER_RECORD_TABLES))
    store = LmdbRecords(tmp_path)
    moved(store, former)
    store.close()


def test_what_was_moved_goes_by_the_time_of_its_identifiers(
    tmp_path: Path, former: list[CallRecord]
) -> None:
    now = FIRST + 10 * DAY
    store = LmdbRecords(tmp_path, clock=lambda: float(now))
    while store.expire("pcs", FIRST + 1.5 * DAY):
        pass
    oldest = min(ids(store))
    assert former[0].cdr_id < oldest < former[37].cdr_id
    assert store.count("cin") == len(of(former, "cin"))
    store.close()


def test_a_record_that_cannot_be_read_stays_and_holds_up_no_other(
    tmp_path: Path, former: list[CallRecord], caplog: pytest.LogCaptureFixture
) -> None:
    environment = Environment(tmp_path, (META, *FORMER_RECORD_TABLES))
    key = encode_parts(("pcs", former[5].cdr_id + "x"))
    environment.write(lambda txn: txn.put(key, b"\xff", db=environment.dbs[RECORDS]))
    environment.close()
    for _ in range(2):
        caplog.clear()
        store = LmdbRecords(tmp_path)
        moved(store, former)
        assert left(store) == [1, 0, 0, 0]
        assert "1 call records cannot be read" in caplog.text
        store.close()


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    LmdbRecords(tmp_path).close()
    environment = Environment(tmp_path, (META,), newest=RECORDS_FORMAT)
    newer = encode_number(RECORDS_FORMAT + 1)
    environment.write(lambda txn: txn.put(b"format", newer, db=environment.dbs[META]))
    environment.close()
    with pytest.raises(FormatTooNew):
        LmdbRecords(tmp_path)
