"""Where objects and their history are kept: a contract, LMDB, and a twin in memory.

Others import `contract` and `records`; only the core's server names the LMDB stores.
"""

__all__ = [
    "contract",
    "faults",
    "gate",
    "limits",
    "lmdb",
    "lmdb_batch",
    "lmdb_environment",
    "lmdb_fresh",
    "lmdb_identity",
    "lmdb_reader",
    "lmdb_records",
    "memory",
    "memory_records",
    "memory_state",
    "records",
    "tables",
]
