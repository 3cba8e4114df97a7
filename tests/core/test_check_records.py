"""Call records that a check finds damaged."""

from contextlib import AsyncExitStack
from uuid import UUID

import lmdb
import pytest

from callscreen.core.access import service
from callscreen.core.commands import append_records
from callscreen.core.server import first_start
from callscreen.core.store.limits import SEGMENT_SECONDS
from callscreen.core.upkeep.check import check
from callscreen.core.wiring import CoreConfig, build
from callscreen.fastpath.rows_types import ID_BYTES, LENGTH, ROW
from callscreen.v1 import rules_pb2
from callscreen.v1.records_pb2 import AppendRequest
from callscreen.v1.screening_pb2 import CallRecord

from .conftest import CHEAP, PASSWORD, Clock

SEALED, OPEN = 20, 5
FIRST = 0x01900000_0000_7000_8000_000000000000


def record(place):
    return CallRecord(
        cdr_id=str(UUID(int=FIRST + place)),
        product=rules_pb2.PCS,
        called_number=f"+1585555{place:04}",
        start_time={"seconds": 1_800_000_000 + place},
    )


async def append(core, places):
    request = AppendRequest(id=1, records=[record(place) for place in places])
    _, new = await append_records.append(core, service(), request.SerializeToString())
    assert new == len(places)


@pytest.fixture
async def data(tmp_path):
    """A folder with call records, in a sealed segment and in an open one."""
    clock = Clock()
    async with AsyncExitStack() as stack:
        core = build(CoreConfig(tmp_path, clock=clock, hasher=CHEAP), stack)
        await first_start(core, PASSWORD)
        await append(core, range(SEALED - 1))
        clock.now += SEGMENT_SECONDS
        await append(core, range(SEALED - 1, SEALED))
        await append(core, range(SEALED, SEALED + OPEN))
    return tmp_path


def found(data):
    return list(check(data))


def change(data, table, spoil, place=0):
    """Changes an entry behind the core's back; None removes it."""
    env = lmdb.open(str(data / "records"), max_dbs=20, lib_version=0)
    with env.begin(write=True) as txn:
        db = env.open_db(table, txn=txn)
        key, value = list(txn.cursor(db))[place]
        new = spoil(value)
        if new is None:
            txn.delete(key, db=db)
        else:
            txn.put(key, new, db=db)
    env.close()


def test_sound_records_have_no_findings(data):
    assert found(data) == []


def test_a_block_that_is_gone(data):
    change(data, b"blocks", lambda value: None)
    findings = found(data)
    assert len(findings) == SEALED - 1
    assert findings[0] == f"records: the record {FIRST:032x} of pcs is missing"


def test_a_block_of_the_open_segment_that_is_gone(data):
    change(data, b"blocks", lambda value: None, -1)
    assert len(found(data)) == OPEN


def test_a_record_that_cannot_be_decoded(data):
    change(data, b"blocks", lambda value: b"\xff" * len(value))
    assert found(data)[0] == f"records: the record {FIRST:032x} of pcs cannot be decoded"


def test_a_record_of_another_name(data):
    other = str(UUID(int=FIRST + 99)).encode()
    change(data, b"blocks", lambda value: value[:2] + other + value[38:])
    (finding,) = found(data)
    assert finding.endswith(f"is that of {other.decode()}")


def test_rows_that_are_missing(data):
    change(data, b"rows", lambda value: value[:-ROW])
    assert found(data) == [f"records: segment 0 of pcs has {SEALED - 1} of its {SEALED} rows"]


def test_rows_out_of_order(data):
    change(data, b"rows", lambda value: value[ROW : 2 * ROW] + value[:ROW] + value[2 * ROW :])
    findings = found(data)
    assert "records: the rows of segment 0 of pcs are not in order" in findings


def test_a_row_that_leads_behind_its_block(data):
    far = b"\xff\xff\xff\xff"
    change(data, b"rows", lambda value: value[:LENGTH] + far + value[LENGTH + 4 :])
    assert found(data) == [f"records: the record {FIRST:032x} of pcs is missing"]


def test_postings_of_other_rows(data):
    change(data, b"postings", lambda value: bytes(ID_BYTES) + value[ID_BYTES:])
    assert found(data) == ["records: the postings of segment 0 of pcs are not those of its rows"]


def test_records_of_another_format(data):
    env = lmdb.open(str(data / "records"), max_dbs=20, lib_version=0)
    with env.begin(write=True) as txn:
        txn.put(b"format", (1).to_bytes(8, "big"), db=env.open_db(b"meta", txn=txn))
    env.close()
    (finding,) = found(data)
    assert "format 1" in finding
