"""Objects that are new, by the thousand: the same as single writes, on both stores."""

import pytest

from callscreen.core.store.contract import COLUMNS, UNIQUE, Batch, Delete, Fresh, IndexPut, Key, Put
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


@pytest.mark.parametrize("key", KEYS[-6:])
def test_keys_are_read_as_they_were_written(key):
    octets = encode_key(key)
    assert decode_key(octets) == key
    parts = (key.product, key.type, *key.path)
    assert count_keys(octets) == (encode_parts(parts[:2]), encode_parts(parts[:3]))
