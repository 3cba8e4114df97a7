"""Objects that are new or gone, by the thousand: as single writes are, on both stores."""

import pytest

from callscreen.core.store.contract import (
    COLUMNS,
    UNIQUE,
    Batch,
    Delete,
    Fresh,
    Gone,
    IndexPut,
    Key,
    Put,
)
from callscreen.core.store.tables import count_keys, decode_key, encode_key, encode_parts

KEYS = [Key("pcs", "number", (p, s, f"+{n}")) for p in "ab" for s in "xy" for n in range(20)]
KEYS += [Key("pcs", "service_provider", (name,)) for name in ("a", "b", "a\0b", "\1")]


def fresh(keys):
    return Fresh(
        objects=[(encode_key(key), b"value of " + repr(key).encode()) for key in keys],
        unique=[(b"u" + encode_key(key), b"name") for key in keys],
        columns=[(b"c" + encode_key(key), b"") for key in keys],
    )


def test_they_are_there_whole_and_counted(store):
    batch = Batch([], lambda revision: b"log", fresh=fresh(KEYS))
    assert store.commit(batch) == 1
    assert [key for key, _ in store.scan("pcs", "number")] == sorted(
        key for key in KEYS if key.type == "number"
    )
    with store.read() as reader:
        assert reader.count("pcs", "number") == 80
        assert reader.count("pcs", "number", ("a",)) == 40
        assert reader.count("pcs", "service_provider") == 4
        assert reader.count("pcs", "service_provider", ("a\0b",)) == 1
        assert reader.get(KEYS[3]) == b"value of " + repr(KEYS[3]).encode()
        assert reader.unique(b"u" + encode_key(KEYS[5])) == b"name"
        some = [encode_key(KEYS[0]), b"pcs\0number\0zz\0", encode_key(KEYS[7])]
        assert sorted(reader.present(some)) == sorted([some[0], some[2]])
        assert reader.claimed([b"u" + some[0], b"none"]) == [b"u" + some[0]]
        assert reader.present([]) == []
        below, above = b"pcs\0number\0", b"pcs\0number\0zz\0"
        assert reader.present([above]) == reader.present([below]) == []
        assert reader.present([above, below]) == []
        assert reader.present([encode_key(Key("zzz", "zzz", ("z",)))]) == []


def test_the_rest_of_the_batch_comes_after_them(store):
    key = KEYS[0]
    store.commit(
        Batch(
            [Put(key, b"later"), Delete(KEYS[1])],
            lambda revision: b"",
            index=[
                IndexPut(UNIQUE, b"u" + encode_key(key), b"other"),
                IndexPut(COLUMNS, b"d", b""),
            ],
            fresh=fresh(KEYS),
        )
    )
    assert store.get(key) == b"later"
    with store.read() as reader:
        assert reader.count("pcs", "number") == 79
        assert reader.unique(b"u" + encode_key(key)) == b"other"


def test_what_is_there_already_is_a_fault_and_nothing_is_written(store):
    store.commit(Batch([Put(KEYS[9], b"first")], lambda revision: b""))
    with pytest.raises(ValueError, match="there already"):
        store.commit(Batch([], lambda revision: b"", fresh=fresh(KEYS)))
    assert store.revision == 1
    assert store.scan("pcs", "number") == [(KEYS[9], b"first")]


def gone(keys):
    octets = [encode_key(key) for key in keys]
    return Gone(octets, [b"u" + each for each in octets], [b"c" + each for each in octets])


def test_what_is_gone_is_gone_with_its_entries_and_its_count(store):
    store.commit(Batch([], lambda revision: b"", fresh=fresh(KEYS)))
    out = [key for key in KEYS if key.path[0] == "a"]
    kept = encode_key(KEYS[-3])
    batch = Batch([Put(out[0], b"anew")], lambda revision: b"log", gone=gone(out))
    assert store.commit(batch) == 2
    with store.read() as reader:
        assert reader.count("pcs", "number") == 41
        assert reader.count("pcs", "number", ("a",)) == 1
        assert reader.count("pcs", "number", ("b",)) == 40
        assert reader.count("pcs", "service_provider") == 3
        assert reader.get(out[0]) == b"anew"
        assert [key for key in out if reader.get(key) is not None] == [out[0]]
        assert reader.claimed([b"u" + encode_key(key) for key in out]) == []
        assert reader.unique(b"u" + kept) == b"name"
        entries = [key for key, _ in reader.scan_index(COLUMNS, b"c", b"d")]
        assert entries == sorted(b"c" + encode_key(key) for key in KEYS if key not in out)


def test_what_is_not_there_cannot_go_and_nothing_is_written(store):
    store.commit(Batch([], lambda revision: b"", fresh=fresh(KEYS[:3])))
    with pytest.raises(ValueError, match="is not"):
        store.commit(Batch([], lambda revision: b"", gone=gone(KEYS[:4])))
    assert store.revision == 1
    assert len(store.scan("pcs", "number")) == 3


@pytest.mark.parametrize("key", KEYS[-6:])
def test_keys_are_read_as_they_were_written(key):
    octets = encode_key(key)
    assert decode_key(octets) == key
    parts = (key.product, key.type, *key.path)
    assert count_keys(octets) == (encode_parts(parts[:2]), encode_parts(parts[:3]))
