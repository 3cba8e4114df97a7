"""Where objects and their history are kept: a contract, LMDB, and a twin in memory."""

__all__: list[str] = []
