"""Tokens that were seen, so that one that comes with another call is known for a replay.

Invariants
1. A token is known by what was signed and by r of its signature: s has a second value that is good
   as well, so that it tells nothing.
2. What one tenant asks about tells nothing of another's calls: a call passes several of them. Nor
   does it make them forgotten: a tenant that has a name has one part in SHARE of all.
3. What is remembered has a limit, and an end: what is older than it may be is refused as stale.
4. Any thread may ask.
"""

import threading
from collections import OrderedDict
from hashlib import blake2b

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memcpy

__all__ = ["Replays"]

cdef enum:
    CALL_MOST = 63  # octets of a call that are kept as they are; a digest has more
    HALF = 16  # octets of a key that are of the digest, and of r
    DIGEST = 32
    SIGNATURE = 64
    SHARE = 8


cdef class Replays:
    cdef Py_ssize_t _limit
    cdef object _seen  # by token: its call, until when, and the tenant; the eldest first
    cdef dict _own  # by a tenant's name: its tokens, the eldest first
    cdef object _lock

    def __init__(self, Py_ssize_t limit):
        self._limit = limit
        self._seen = OrderedDict()
        self._own = {}
        self._lock = threading.Lock()

    def __len__(self):
        return len(self._seen)

    def again(
        self,
        bytes digest not None,
        bytes signature not None,
        bytes call not None,
        double now,
        double seconds,
        bytes tenant not None=b"",
    ):
        cdef bytes key, eldest
        cdef tuple known
        cdef char[2 * HALF] made
        if PyBytes_GET_SIZE(digest) != DIGEST or PyBytes_GET_SIZE(signature) != SIGNATURE:
            raise ValueError("no digest of 32 octets, or no signature of 64")
        memcpy(made, PyBytes_AS_STRING(digest), HALF)
        memcpy(made + HALF, PyBytes_AS_STRING(signature), HALF)  # r comes first
        key = PyBytes_FromStringAndSize(made, 2 * HALF)
        if PyBytes_GET_SIZE(call) > CALL_MOST:
            call = blake2b(call).digest()
        if PyBytes_GET_SIZE(tenant) > CALL_MOST:
            tenant = blake2b(tenant).digest()
        key += tenant
        with self._lock:
            known = self._seen.get(key)
            if known is not None:
                if <double>known[1] > now:
                    return known[0] != call
                self._forget(key)
            self._seen[key] = (call, now + seconds, tenant)
            if tenant:
                self._keep(key, tenant)
            eldest = next(iter(self._seen))
            if len(self._seen) > self._limit or <double>self._seen[eldest][1] <= now:
                self._forget(eldest)
        return False

    cdef int _keep(self, bytes key, bytes tenant) except -1:
        """Counts a token among those of its tenant, whose eldest goes beyond its share."""
        own = self._own.setdefault(tenant, OrderedDict())
        own[key] = None
        if len(own) > max(1, self._limit // SHARE):
            self._forget(next(iter(own)))
        return 0

    cdef int _forget(self, bytes key) except -1:
        cdef bytes tenant = self._seen.pop(key)[2]
        if tenant:
            own = self._own[tenant]
            del own[key]
            if not own:
                del self._own[tenant]
        return 0
