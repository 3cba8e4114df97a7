"""A sound folder has no findings; each kind of damage has its own."""

import hashlib
import os
from contextlib import AsyncExitStack

import lmdb
import pytest

from callscreen.core.access import principal
from callscreen.core.commands.authenticate import authenticate
from callscreen.core.errors import Unavailable
from callscreen.core.indexing import make_complete
from callscreen.core.private import (
    Waiting,
    credential_key,
    letter_key,
    redeemable_key,
    setup_key,
    stowed_key,
    token_key,
)
from callscreen.core.server import first_start
from callscreen.core.store.contract import Key, StoreFailed, StoreInUse
from callscreen.core.store.lmdb import LmdbStore
from callscreen.core.store.tables import encode_key, encode_number, encode_parts
from callscreen.core.upkeep.check import check
from callscreen.core.upkeep.check_files import check_audio
from callscreen.core.upkeep.findings import FINDINGS
from callscreen.core.wiring import CoreConfig, build
from callscreen.v1.object_pb2 import Change, Object

from .conftest import CHEAP, PASSWORD, Clock, Desk, tenant

NUMBER = Key("pcs", "number", ("acme", "alice", "+15855550001"))


@pytest.fixture
async def data(tmp_path):
    """A folder in which most that there can be has happened."""
    folder = tmp_path / "data"
    async with AsyncExitStack() as stack:
        core = build(CoreConfig(folder, clock=Clock(), hasher=CHEAP), stack)
        await first_start(core, PASSWORD)
        owner = Desk(core, principal("pcs", "pcs_administrator", "platform_owner"))
        for name, number in (("acme", "+15855550000"), ("gone", "+15855550002")):
            await tenant(owner, name, "alice", number)
            role = f"service_provider:{name}"
            await owner.create(f"pcs/administrator/{role}", username=f"admin_{name}")
        await owner.update(
            "pcs/number/acme/alice/+15855550000", number="+15855550001", whitelist=["+15855559999"]
        )
        await owner.delete("pcs/service_provider/gone")
        await owner.create("pcs/service_provider", name="gone")
        await owner.create("pcs/service_provider", name="old")
        await owner.update("pcs/service_provider/old", name="new")
        await authenticate(core, "pcs", "pcs_administrator", PASSWORD)
        make_complete(core.store, lambda: False)
    return folder


def found(folder):
    return list(check(folder))


def test_a_sound_folder_has_no_findings_and_stays_as_it_is(data):
    before = (data / "objects/data.mdb").read_bytes()
    assert found(data) == []
    assert (data / "objects/data.mdb").read_bytes() == before


class Damage:
    """Changes entries behind the core's back."""

    def __init__(self, folder):
        self.env = lmdb.open(str(folder / "objects"), max_dbs=16, lib_version=0)

    def put(self, table, key, value):
        with self.env.begin(write=True) as txn:
            txn.put(key, value, db=self.env.open_db(table, txn=txn))

    def delete(self, table, key):
        with self.env.begin(write=True) as txn:
            assert txn.delete(key, db=self.env.open_db(table, txn=txn))

    def get(self, table, key):
        with self.env.begin() as txn:
            return txn.get(key, db=self.env.open_db(table, txn=txn))

    def keys(self, table, prefix=b""):
        with self.env.begin() as txn:
            every = list(txn.cursor(self.env.open_db(table, txn=txn)).iternext(values=False))
        return [key for key in every if key.startswith(prefix)]

    def change(self, key, **fields):
        obj = Object.FromString(self.get(b"objects", encode_key(key)))
        for name, value in fields.items():
            holder = obj if name in ("name", "revision") else getattr(obj, key.type)
            setattr(holder, name, value)
        self.put(b"objects", encode_key(key), obj.SerializeToString())


@pytest.fixture
def damage(data):
    made = Damage(data)
    yield made
    made.env.close()


def told(data, damage):
    damage.env.close()
    return found(data)


def test_an_object_that_cannot_be_decoded(data, damage):
    damage.put(b"objects", encode_key(NUMBER), b"\xff\xff")
    assert "object: pcs/number/acme/alice/+15855550001 cannot be decoded" in told(data, damage)


def test_a_key_that_cannot_be_decoded(data, damage):
    damage.put(b"objects", b"pcs", b"")
    assert told(data, damage) == ["object: the key b'pcs' cannot be decoded"]


def test_an_object_of_another_name(data, damage):
    damage.change(NUMBER, name="pcs/number/acme/alice/%2B15855550009")
    (finding,) = [each for each in told(data, damage) if each.startswith("object")]
    assert finding.endswith("holds what is named 'pcs/number/acme/alice/%2B15855550009'")


def test_an_object_of_another_kind(data, damage):
    damage.put(b"objects", encode_key(NUMBER), Object(name="x").SerializeToString())
    assert "object: pcs/number/acme/alice/+15855550001 holds no number" in told(data, damage)


def test_a_type_that_nobody_knows(data, damage):
    damage.put(b"objects", encode_parts(("pcs", "cow", "a")), b"")
    assert "object: pcs/cow/a is of no known type" in told(data, damage)


def test_a_product_that_nobody_knows(data, damage):
    damage.put(b"objects", encode_parts(("abc", "number", "a")), b"")
    assert "object: abc/number/a is of no product" in told(data, damage)


def test_an_object_that_is_not_valid(data, damage):
    damage.change(NUMBER, nickname="x" * 5000)
    (finding,) = [each for each in told(data, damage) if each.startswith("object")]
    assert finding.startswith("object: pcs/number/acme/alice/%2B15855550001 is not valid: Number()")


def test_a_revision_that_never_was(data, damage):
    damage.change(NUMBER, revision=10_000)
    (finding,) = told(data, damage)
    assert "has revision 10000 of" in finding


def test_a_reference_to_nothing(data, damage):
    damage.delete(b"objects", encode_parts(("pcs", "subscriber", "acme", "alice")))
    findings = told(data, damage)
    name = "pcs/number/acme/alice/%2B15855550001"
    assert (
        f"reference: {name} names subscriber acme/alice in subscriber_name, which is not there"
        in findings
    )
    assert any(each.startswith("count: pcs/subscriber counts") for each in findings)


def unique(username="pcs_administrator"):
    return f"pcs\0administrator\0username\0{username}".encode()


def test_a_unique_value_that_nobody_holds(data, damage):
    damage.delete(b"unique", unique())
    findings = told(data, damage)
    name = "pcs/administrator/platform_owner/pcs_administrator"
    assert f"unique: {name} does not hold its username 'pcs_administrator'" in findings
    assert any("has a password and is no administrator" in each for each in findings)


@pytest.mark.parametrize(
    "value", [b"pcs/administrator/platform_owner/nobody", b"nonsense", b"\xff"]
)
def test_a_unique_value_of_something_else(data, damage, value):
    damage.put(b"unique", unique("nobody"), value)
    (finding,) = told(data, damage)
    assert "which does not have it" in finding


def test_an_entry_of_the_columns_that_is_missing(data, damage):
    entries = [key for key in damage.keys(b"columns") if len(key) > 16]
    damage.delete(b"columns", entries[0])
    (finding,) = told(data, damage)
    assert finding.endswith("is missing in an index of its columns")


def test_an_entry_of_the_columns_that_is_one_too_many(data, damage):
    damage.put(b"columns", b"x" * 40, b"")
    assert told(data, damage) == ["column: 1 entries of the index are of no object"]


def test_a_count_that_is_wrong(data, damage):
    damage.put(b"object_counts", encode_parts(("pcs", "number")), encode_number(9))
    assert told(data, damage) == ["count: pcs/number counts 9 objects, and there are 1"]


def test_a_count_that_is_missing(data, damage):
    damage.delete(b"object_counts", encode_parts(("pcs", "number")))
    assert told(data, damage) == ["count: pcs/number is not counted: 1"]


def test_a_gap_in_the_log(data, damage):
    damage.delete(b"log", encode_number(3))
    assert told(data, damage) == ["log: changes 3 to 3 are missing"]


def test_a_log_that_ends_early(data, damage):
    last = damage.keys(b"log")[-1]
    damage.delete(b"log", last)
    number = int.from_bytes(last, "big")
    assert told(data, damage) == [
        f"log: the last change is {number - 1}, and the revision {number}"
    ]


def test_a_change_that_is_another(data, damage):
    damage.put(b"log", encode_number(2), Change(revision=7).SerializeToString())
    damage.put(b"log", encode_number(3), b"\xff")
    assert told(data, damage) == [
        "log: change 2 says that it is 7",
        "log: change 3 cannot be decoded",
    ]


def test_a_store_without_a_name(data, damage):
    damage.delete(b"meta", b"id")
    assert told(data, damage) == ["meta: id is missing"]


def test_a_token_that_no_log_in_names(data, damage):
    value = damage.get(b"private", damage.keys(b"private", b"token\0")[0])
    damage.put(b"private", token_key(b"\xab" * 32), value)
    (finding,) = told(data, damage)
    assert finding == "token: abababab of pcs_administrator is not one of its log-ins"


def test_a_token_that_is_gone(data, damage):
    damage.delete(b"private", damage.keys(b"private", b"token\0")[0])
    assert told(data, damage) == ["token: pcs pcs_administrator names one that is not there"]


def test_log_ins_that_cannot_be_decoded(data, damage):
    damage.put(b"private", token_key(b"\xab" * 32), b"{")
    damage.put(b"private", redeemable_key(b"\xab" * 32), b"{")
    damage.put(b"private", credential_key("cin", "cin_administrator"), b"{")
    assert sorted(told(data, damage)) == [
        "credential: that of cin cin_administrator cannot be decoded",
        "token: abababab cannot be decoded",
        "token: abababab or its log-in cannot be decoded",
    ]


def test_a_token_for_a_password_that_leads_nowhere(data, damage):
    damage.put(b"private", setup_key("pcs", "nobody"), b"\xcd" * 32)
    assert sorted(told(data, damage)) == [
        "token: one is for the password of nobody, no administrator",
        "token: that for the password of pcs nobody is not there",
    ]


def test_a_password_in_the_archive_of_no_batch(data, damage):
    damage.put(b"private", stowed_key("pcs", "0" * 24, "bob"), b"")
    (finding,) = told(data, damage)
    assert finding == f"credential: that of bob waits for batch {'0' * 24}, not there"


def test_a_batch_that_is_not_whole(data, damage):
    damage.delete(b"objects", damage.keys(b"objects", encode_parts(("pcs", "archive:number")))[0])
    findings = told(data, damage)
    assert any("has 3 of its 4 objects" in each for each in findings)


def test_a_batch_without_its_record(data, damage):
    damage.delete(b"objects", damage.keys(b"objects", encode_parts(("pcs", "archive_batch")))[0])
    findings = told(data, damage)
    assert any("of 4 objects has no record" in each for each in findings)


def test_a_file_of_audio(data):
    folder = data / "audio"
    digest = hashlib.sha256(b"RIFF").hexdigest()
    (folder / digest[:2]).mkdir(parents=True, exist_ok=True)
    path = folder / digest[:2] / digest
    named = {digest: "pcs/audio/acme/a.wav"}
    assert [each.text for each in check_audio(folder, named)] == [
        "the file of pcs/audio/acme/a.wav is missing"
    ]
    path.write_bytes(b"RIFX")
    assert [each.text for each in check_audio(folder, named)] == [
        "the file of pcs/audio/acme/a.wav is not what was uploaded"
    ]
    path.write_bytes(b"RIFF")
    assert list(check_audio(folder, named)) == []


def audit_file(data):
    return next((data / "audit/pcs").iterdir())


def test_an_audit_log_that_is_short(data):
    size = audit_file(data).stat().st_size
    os.truncate(audit_file(data), 10)
    assert found(data) == [f"audit: pcs/{audit_file(data).name} has 10 of its {size} octets"]


def test_an_audit_log_that_is_gone(data):
    name = audit_file(data).name
    audit_file(data).unlink()
    assert found(data) == [f"audit: pcs/{name} is missing"]


def test_an_audit_log_of_nobody(data):
    (data / "audit/pcs/audit-2020.01.01.log").write_text("row\n")
    assert found(data) == ["audit: pcs/audit-2020.01.01.log is known to no change"]


def test_what_was_not_committed_is_no_finding(data):
    with audit_file(data).open("a") as file:
        file.write("killed while this was written")
    assert found(data) == []


def test_a_pepper_that_is_gone_or_damaged(data):
    (data / "pepper").write_text("nonsense")
    (finding,) = found(data)
    assert "is damaged" in finding
    (data / "pepper").unlink()
    assert found(data) == ["pepper: it is missing: stored PINs match nothing"]


def test_a_key_of_mail_that_is_damaged(data):
    (data / "mail.key").write_text("nonsense")
    (finding,) = found(data)
    assert "mail.key is damaged" in finding
    (data / "mail.key").unlink()
    assert found(data) == []


def test_mail_that_waits_for_nobody_or_cannot_be_decoded(data, damage):
    damage.put(b"private", letter_key("pcs", "nobody"), Waiting(1.0, "recover", b"s").encode())
    damage.put(b"private", letter_key("pcs", "pcs_administrator"), b"{")
    assert sorted(told(data, damage)) == [
        "mail: one waits for pcs nobody, no administrator",
        "mail: the one that waits for pcs pcs_administrator cannot be decoded",
    ]


def test_many_findings_of_a_kind_are_told_by_their_number(data, damage):
    with damage.env.begin(write=True) as txn:
        for number in range(FINDINGS + 50):
            txn.put(b"cow" + encode_number(number), b"", db=damage.env.open_db(b"unique", txn=txn))
    findings = told(data, damage)
    assert len([each for each in findings if "is held by" in each]) == FINDINGS
    assert "unique: 50 more" in findings


def test_a_folder_that_a_core_has_open(data):
    store = LmdbStore(data / "objects")
    with pytest.raises(StoreInUse, match="in use by another core"):
        found(data)
    store.close()


def test_a_folder_that_holds_no_data(tmp_path):
    with pytest.raises(StoreFailed, match="holds no data"):
        found(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_a_store_that_is_garbage(data):
    (data / "objects/data.mdb").write_bytes(b"garbage" * 4096)
    with pytest.raises(StoreFailed, match="cannot be read"):
        found(data)


def test_a_restore_that_did_not_end(data):
    (data / "restoring").mkdir()
    with pytest.raises(Unavailable, match="did not end"):
        found(data)
