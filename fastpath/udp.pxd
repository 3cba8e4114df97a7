"""Datagrams out of a socket, many at a call, without allocation or interpreter.

1. What the kernel joined (UDP_GRO) comes out as the datagrams that were sent.
2. `receive` waits at most WAIT_MS. Where datagrams come closer together than `spin_ns` it looks for
   the next without sleeping: a thread that sleeps is woken late.
3. ICMP errors of earlier answers are counted.
"""

from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.counts cimport Counts
from callscreen.fastpath.sip_text cimport Octets

cdef enum:
    MESSAGES = 32            # received at a time, of up to SEGMENTS datagrams each
    MESSAGE_ROOM = 65536     # octets
    MESSAGE_STEP = 70272     # from one message's octets to the next: no two share all cache sets
    CONTROL = 128            # octets
    ADDRESS = 28             # octets of the longest socket address: IPv6
    OWN = 20                 # octets of the longest packet information: IPv6
    WAIT_MS = 100


cdef extern from "<sys/socket.h>" nogil:
    struct sockaddr_storage:
        pass
    struct iovec:
        void *iov_base
        size_t iov_len
    struct msghdr:
        void *msg_name
        unsigned int msg_namelen
        iovec *msg_iov
        size_t msg_iovlen
        void *msg_control
        size_t msg_controllen
        int msg_flags
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len


cdef struct Place:            # a socket address: of a peer, or where an answer goes
    uint32_t size             # octets used
    unsigned char octets[ADDRESS]
    uint32_t own_size         # of what says which address was asked; 0: the socket has one alone
    unsigned char own[OWN]


cdef struct Inbox:
    char *area                # MESSAGES × MESSAGE_STEP
    mmsghdr heads[MESSAGES]
    iovec parts[MESSAGES]
    Place places[MESSAGES]
    char control[MESSAGES][CONTROL]
    int count                 # messages received
    int message               # where next_datagram stands
    uint32_t at
    uint32_t step             # octets of the message's datagrams; the last may be shorter
    uint64_t spin_ns          # 0: sleep at once
    bint close                # the last came within spin_ns; who sets it to False lets it sleep


cdef int open_inbox(Inbox *inbox) except -1
cdef void close_inbox(Inbox *inbox) noexcept nogil
# Messages received; 0 where none came in time.
cdef int receive(Inbox *inbox, int file, Counts *counts) noexcept nogil
# The next datagram and the place it came from; false where there is none left.
cdef bint next_datagram(
    Inbox *inbox, Octets *data, uint32_t *size, const Place **place
) noexcept nogil
# The parts of a place: octets of its address, IPv6 or not, and its port.
cdef const unsigned char *place_address(const Place *place, bint *v6, uint32_t *port) noexcept nogil
# A socket address of the family of another, of a socket that knows one; false where it cannot be.
cdef bint place_for(
    Place *out, const Place *like, bint v6, const unsigned char *octets
) noexcept nogil
# ICMP errors that wait are taken away: how many there were.
cdef int socket_errors(int file) noexcept nogil
