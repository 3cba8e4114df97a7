"""Calls that a worker hands over. What it promises stands in handing.pxd."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from callscreen.fastpath.respond cimport Work
from callscreen.fastpath.ring cimport ring_place, ring_publish, ring_wrote
from callscreen.fastpath.sip_text cimport AF_INET6

from . import handing_types

__all__: list[str] = []

cdef extern from *:
    """
    #include <stdint.h>
    #include <unistd.h>
    /* An eventfd that is as high as it gets has woken whoever waits: no error tells anything. */
    static void handing_wake(int file) {
        uint64_t one = 1;
        if (write(file, &one, sizeof(one)) < 0) return;
    }
    """
    void handing_wake(int file) noexcept nogil

cdef enum:
    HEAD = 3  # octets of an entry's tag and length

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
    at[0] = 0x12
    at[1] = <char>(size & 0x7F | 0x80)
    at[2] = <char>(size >> 7)
    fill_head(&head, work, place, now_ns)
    memcpy(at + HEAD, &head, sizeof(HandHead))
    memcpy(at + HEAD + sizeof(HandHead), work.data, work.size)
    ring_wrote(hands.ring, HEAD + size)
    hands.handed += 1
    return True


cdef void wake_hands(Hands *hands) noexcept nogil:
    if hands.handed:
        ring_publish(hands.ring)
        if hands.wake >= 0:
            handing_wake(hands.wake)
        hands.handed = 0
