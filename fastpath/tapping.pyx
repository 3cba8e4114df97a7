"""The tap of a worker. What it promises stands in tapping.pxd."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from callscreen.fastpath.respond cimport ANSWER, SEND_ON, SWALLOWED, Work
from callscreen.fastpath.ring cimport ring_place, ring_publish, ring_wrote
from callscreen.fastpath.sip_text cimport AF_INET6, C_DIGIT, sip_class
from callscreen.fastpath.tables cimport CIN_INDEX, PCS_INDEX

cdef extern from *:
    """
    #include <stdint.h>
    #define tapping_get(at) __atomic_load_n(at, __ATOMIC_RELAXED)
    #define tapping_set(at, value) __atomic_store_n(at, value, __ATOMIC_RELEASE)
    """
    int get_int "tapping_get"(const int *at) noexcept nogil
    uint64_t get_word "tapping_get"(const uint64_t *at) noexcept nogil
    void set_int "tapping_set"(int *at, int value) noexcept nogil
    void set_word "tapping_set"(uint64_t *at, uint64_t value) noexcept nogil

cdef enum:
    HEAD = 3  # octets of an entry's tag and length
    STATUS_AT = 8  # octets before the status of a response


cdef bint is_watched(const Tap *tap, const TapHead *head) noexcept nogil:
    cdef uint64_t number
    cdef int i, j
    for i in range(WATCHED):
        number = get_word(&tap.watched[i])
        if not number:
            continue
        for j in range(4):
            if head.numbers[j] == number:
                return True
    return False


cdef uint16_t relayed_status(const Work *work) noexcept nogil:
    """Status of a response that is brought back."""
    cdef uint16_t status = 0
    cdef uint32_t i
    for i in range(STATUS_AT, min(<uint32_t>STATUS_AT + 3, work.size)):
        if sip_class[work.data[i]] & C_DIGIT:
            status = <uint16_t>(10 * status + work.data[i] - c'0')
    return status


cdef void fill_target(TapHead *head, const Work *work) noexcept nogil:
    """Where a message goes that is sent on."""
    head.traits |= TAP_SENT_ON
    head.target_v6 = work.hop.family == AF_INET6
    memcpy(head.target, work.hop.octets, 16 if head.target_v6 else 4)
    head.answer_port = <uint16_t>work.hop.port
    if work.relays:
        head.traits |= TAP_RELAYED
        head.status = relayed_status(work)


cdef void fill_head(TapHead *head, const Work *work, uint64_t now_ns) noexcept nogil:
    cdef bint sent = work.doing != SWALLOWED
    memset(head, 0, sizeof(TapHead))
    head.now_ns = now_ns
    head.v6 = work.peer.family == AF_INET6
    memcpy(head.address, work.peer.octets, 16 if head.v6 else 4)
    head.port = <uint16_t>work.peer.port
    head.request = <uint16_t>min(work.size, <uint32_t>REQUEST_MOST)
    if sent:
        head.status, head.answer_port = work.status, <uint16_t>work.port
        head.answer = <uint16_t>min(work.answer.size, <size_t>ANSWER_MOST)
        if work.answer.size > ANSWER_MOST:
            head.traits |= TAP_CUT
    if work.doing == SEND_ON:
        fill_target(head, work)
    if work.size > REQUEST_MOST:
        head.traits |= TAP_CUT
    if not work.decided:
        return
    head.traits |= TAP_CALL
    if work.repeated:
        head.traits |= TAP_REPEATED
    if work.record_made and work.record.size <= RECORD_MOST:
        head.record = <uint16_t>work.record.size
    head.numbers[0], head.numbers[1] = work.call.called[PCS_INDEX], work.call.calling[PCS_INDEX]
    head.numbers[2], head.numbers[3] = work.call.called[CIN_INDEX], work.call.calling[CIN_INDEX]


cdef void tap_work(Tap *tap, const Work *work, uint64_t now_ns) noexcept nogil:
    cdef TapHead head
    cdef uint32_t size
    cdef char *place
    cdef int mode = get_int(&tap.mode)
    if work.doing != ANSWER and work.doing != SEND_ON and work.doing != SWALLOWED:
        return
    if mode == TAP_WATCHED and not work.decided and not (work.doing == SEND_ON and work.relays):
        return
    fill_head(&head, work, now_ns)
    if mode == TAP_WATCHED and not (
        is_watched(tap, &head) if work.decided else head.status >= 200
    ):
        return
    size = <uint32_t>sizeof(TapHead) + head.request + head.answer + head.record
    place = ring_place(tap.ring, HEAD + size)
    if place == NULL:
        tap.lost += 1
        return
    place[0] = 0x12
    place[1] = <char>(size & 0x7F | 0x80)
    place[2] = <char>(size >> 7)
    place += HEAD
    memcpy(place, &head, sizeof(TapHead))
    place += sizeof(TapHead)
    memcpy(place, work.data, head.request)
    place += head.request
    memcpy(place, work.answer.at, head.answer)
    memcpy(place + head.answer, work.record.at, head.record)
    ring_wrote(tap.ring, HEAD + size)
    ring_publish(tap.ring)


cdef void set_tap(Tap *tap, int mode, const uint64_t *watched) noexcept nogil:
    cdef int i
    for i in range(WATCHED):
        set_word(&tap.watched[i], watched[i])
    set_int(&tap.mode, mode)
