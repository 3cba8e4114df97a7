"""Calls that a worker hands over, and their answers. What it promises stands in handing.pxd."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from callscreen.fastpath.answer_hash cimport (
    Hash, hash_begin, hash_octet, hash_octets, hash_word, rounds,
)
from callscreen.fastpath.answer_peer cimport Peer, read_peer
from callscreen.fastpath.counts cimport DROP_UNSENDABLE, Counts, counted
from callscreen.fastpath.respond cimport VIA_TRUSTED, Work
from callscreen.fastpath.ring cimport ring_place, ring_publish, ring_wrote
from callscreen.fastpath.sending cimport ANSWERS, Outbox, flush, post
from callscreen.fastpath.sip_text cimport AF_INET, AF_INET6, Octets
from callscreen.fastpath.udp cimport OWN, Place, place_for

import os

from . import handing_types
from .handing_types import Handed, host_of

__all__ = ["Replies", "key_of", "read_handed"]

cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>
    #include <string.h>
    #include <sys/socket.h>
    #include <unistd.h>
    static void handing_family(unsigned char *octets, int number) {
        sa_family_t family = (sa_family_t)number;
        memcpy(octets + offsetof(struct sockaddr, sa_family), &family, sizeof(family));
    }
    /* An eventfd that is as high as it gets has woken whoever waits: no error tells anything. */
    static void handing_wake(int file) {
        uint64_t one = 1;
        if (write(file, &one, sizeof(one)) < 0) return;
    }
    static uint64_t handing_load(const uint64_t *at) {
        return __atomic_load_n(at, __ATOMIC_RELAXED);
    }
    """
    void handing_wake(int file) noexcept nogil
    uint64_t handing_load(const uint64_t *at) noexcept nogil
    void handing_family(unsigned char *octets, int family) noexcept nogil

cdef enum:
    HEAD = 3  # octets of an entry's tag and length
    TAG = 0x12

cdef bytes SECRET = os.urandom(16)  # nobody who does not know it makes two calls of one key
cdef object new = tuple.__new__  # of a named tuple, without its slower constructor

if sizeof(HandHead) != handing_types.HEAD.size or REQUEST_MOST != handing_types.REQUEST_MOST:
    raise ValueError("an entry is read otherwise than it was compiled")


cdef void fill_head(
    HandHead *head, const Work *work, const Place *place, uint64_t now_ns
) noexcept nogil:
    memset(head, 0, sizeof(HandHead))
    head.now_ns = now_ns
    head.v6 = work.peer.family == AF_INET6
    memcpy(head.address, work.peer.octets, 16 if head.v6 else 4)
    head.port = <uint16_t>work.peer.port
    head.request = <uint16_t>work.size
    head.traits = work.traits
    head.own_size = <uint8_t>place.own_size
    memcpy(head.own, place.own, place.own_size)


cdef bint hand_over(
    Hands *hands, const Work *work, const Place *place, uint64_t now_ns
) noexcept nogil:
    cdef uint32_t size = <uint32_t>sizeof(HandHead) + work.size
    cdef HandHead head
    cdef char *at
    if hands.ring == NULL or work.size > REQUEST_MOST:
        return False
    at = ring_place(hands.ring, HEAD + size)
    if at == NULL:
        return False
    at[0] = TAG
    at[1] = <char>(size & 0x7F | 0x80)
    at[2] = <char>(size >> 7)
    fill_head(&head, work, place, now_ns)
    memcpy(at + HEAD, &head, sizeof(HandHead))
    memcpy(at + HEAD + sizeof(HandHead), work.data, work.size)
    ring_wrote(hands.ring, HEAD + size)
    hands.handed += 1
    hands.last_ns = now_ns
    return True


cdef void wake_hands(Hands *hands) noexcept nogil:
    if hands.handed:
        ring_publish(hands.ring)
        if hands.wake >= 0:
            handing_wake(hands.wake)
        hands.handed = 0


cdef bint in_hands(const Hands *hands, uint64_t now_ns) noexcept nogil:
    if not hands.last_ns:
        return False
    return now_ns - hands.last_ns < WORKED_NS or handing_load(&hands.ring.taken) != hands.ring.put


def read_handed(bytes entries not None):
    cdef const unsigned char *at = <const unsigned char *>PyBytes_AS_STRING(entries)
    cdef const unsigned char *end = at + PyBytes_GET_SIZE(entries)
    cdef HandHead head, before
    cdef Py_ssize_t size
    cdef list found = []
    cdef str host = None
    while at < end:
        size = (at[1] & 0x7F | at[2] << 7) if end - at >= HEAD and at[0] == TAG else 0
        at += HEAD
        if size < <Py_ssize_t>sizeof(HandHead) or size > end - at:
            raise ValueError("an entry is cut off, or none")
        memcpy(&head, at, sizeof(HandHead))
        if <Py_ssize_t>sizeof(HandHead) + head.request != size or head.own_size > OWN:
            raise ValueError("an entry does not end where it says")
        if host is None or memcmp(&head.address, &before.address, 16) or head.v6 != before.v6:
            host = host_of((<const char *>head.address)[:16 if head.v6 else 4])
            before = head
        found.append(new(Handed, (
            head.now_ns,
            host,
            head.port,
            PyBytes_FromStringAndSize(<const char *>at + sizeof(HandHead), head.request),
            bool(head.traits & VIA_TRUSTED),
            PyBytes_FromStringAndSize(<const char *>head.own, head.own_size),
        )))
        at += size
    return found


def key_of(str host not None, uint16_t port, bytes request not None, bytes secret=SECRET):
    cdef uint64_t key[2]
    cdef uint64_t made[2]
    cdef bytes name = host.encode()
    cdef Hash hash
    if PyBytes_GET_SIZE(secret) != sizeof(key):
        raise ValueError("a secret has 16 octets")
    memcpy(key, PyBytes_AS_STRING(secret), sizeof(key))
    hash_begin(&hash, key[0], key[1])
    hash.b ^= 0xEE  # of 128 bits
    hash_octets(&hash, <Octets>PyBytes_AS_STRING(name), 0, <uint32_t>PyBytes_GET_SIZE(name))
    hash_octet(&hash, 0)
    hash_octet(&hash, <unsigned char>(port >> 8))
    hash_octet(&hash, <unsigned char>port)
    hash_octets(&hash, <Octets>PyBytes_AS_STRING(request), 0, <uint32_t>PyBytes_GET_SIZE(request))
    hash.word |= hash.size << 56
    hash_word(&hash)
    hash.c ^= 0xEE
    rounds(&hash, 4)
    made[0] = hash.a ^ hash.b ^ hash.c ^ hash.d
    hash.b ^= 0xDD
    rounds(&hash, 4)
    made[1] = hash.a ^ hash.b ^ hash.c ^ hash.d
    return PyBytes_FromStringAndSize(<char *>made, sizeof(made))


cdef class Replies:
    cdef Outbox outbox
    cdef Counts counters

    def __cinit__(self):
        memset(&self.outbox, 0, sizeof(Outbox))
        memset(&self.counters, 0, sizeof(Counts))

    def send(self, int file, bint v6, bint segmenting, answers not None):
        cdef Place like, place
        cdef bytes octets, own, name
        cdef uint32_t port
        memset(&like, 0, sizeof(Place))
        handing_family(like.octets, AF_INET6 if v6 else AF_INET)
        self.outbox.segmenting = segmenting
        for octets, host, port, own in answers:
            name = host.encode()
            if not self.place(&place, &like, name, own):
                self.counters.dropped[<int>DROP_UNSENDABLE] += 1
                continue
            post(
                &self.outbox, &place, port, PyBytes_AS_STRING(octets), PyBytes_GET_SIZE(octets))
            if self.outbox.answers == ANSWERS:
                self.flush(file)
        self.flush(file)

    cdef bint place(self, Place *out, const Place *like, bytes host, bytes own) noexcept:
        """Where an answer goes; False where that is no address."""
        cdef Peer peer
        read_peer(&peer, PyBytes_AS_STRING(host), PyBytes_GET_SIZE(host))
        if not peer.family or not place_for(out, like, peer.family == AF_INET6, peer.octets):
            return False
        out.own_size = <uint32_t>min(PyBytes_GET_SIZE(own), <Py_ssize_t>OWN)
        memcpy(out.own, PyBytes_AS_STRING(own), out.own_size)
        return True

    cdef int flush(self, int file) except -1:
        with nogil:
            flush(&self.outbox, file, &self.counters)
        return 0

    def counts(self):
        return counted(&self.counters)
