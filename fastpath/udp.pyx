"""Datagrams out of a socket. What it promises stands in udp.pxd."""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from callscreen.fastpath.area cimport big_area, free_area
from callscreen.fastpath.counts cimport DROP_FAULT, DROP_UNREACHABLE, Counts
from callscreen.fastpath.sip_text cimport Octets

__all__: list[str] = []

cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <errno.h>
    #include <netinet/in.h>
    #include <poll.h>
    #include <stddef.h>
    #include <stdint.h>
    #include <string.h>
    #include <sys/socket.h>
    #include <time.h>
    #ifndef UDP_GRO
    #define UDP_GRO 104
    #endif
    #ifndef SOL_UDP
    #define SOL_UDP 17
    #endif
    /* Octets of each datagram of a message that the kernel joined, 0 where it is one datagram; and
       what tells the address that was asked, as it goes into the answer. */
    static uint32_t callscreen_told(struct msghdr *head, unsigned char *own, uint32_t *own_size) {
        struct cmsghdr *each;
        uint32_t joined = 0;
        *own_size = 0;
        for (each = CMSG_FIRSTHDR(head); each != NULL; each = CMSG_NXTHDR(head, each)) {
            if (each->cmsg_level == SOL_UDP && each->cmsg_type == UDP_GRO) {
                int size;
                memcpy(&size, CMSG_DATA(each), sizeof(size));
                joined = size > 0 ? (uint32_t)size : 0;
            } else if (each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_PKTINFO) {
                struct in_pktinfo info;
                memcpy(&info, CMSG_DATA(each), sizeof(info));
                info.ipi_ifindex = 0;
                info.ipi_addr.s_addr = 0;
                memcpy(own, &info, *own_size = sizeof(info));
            } else if (each->cmsg_level == IPPROTO_IPV6 && each->cmsg_type == IPV6_PKTINFO) {
                struct in6_pktinfo info;
                memcpy(&info, CMSG_DATA(each), sizeof(info));
                if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = 0;
                memcpy(own, &info, *own_size = sizeof(info));
            }
        }
        return joined;
    }
    /* ICMP errors that wait, taken away: how many there were. */
    static int callscreen_errors(int file) {
        struct msghdr head;
        int count = 0;
        do memset(&head, 0, sizeof(head));
        while (recvmsg(file, &head, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0 && ++count < 1000);
        return count;
    }
    static void callscreen_pause(void) { (void)poll(NULL, 0, 10); }
    static int callscreen_errno(void) { return errno; }
    static uint64_t callscreen_clock(void) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    }
    static uint32_t callscreen_port(const unsigned char *octets) {
        return (uint32_t)octets[2] << 8 | octets[3];
    }
    /* An address as a socket of a family writes it: its octets, 0 where it cannot. */
    static uint32_t callscreen_address(
        unsigned char *out, int socket_v6, int v6, const unsigned char *octets
    ) {
        if (socket_v6) {
            struct sockaddr_in6 made;
            memset(&made, 0, sizeof(made));
            made.sin6_family = AF_INET6;
            if (v6) memcpy(&made.sin6_addr, octets, 16);
            else {
                made.sin6_addr.s6_addr[10] = made.sin6_addr.s6_addr[11] = 0xFF;
                memcpy(made.sin6_addr.s6_addr + 12, octets, 4);
            }
            memcpy(out, &made, sizeof(made));
            return sizeof(made);
        }
        struct sockaddr_in made;
        if (v6) return 0;
        memset(&made, 0, sizeof(made));
        made.sin_family = AF_INET;
        memcpy(&made.sin_addr, octets, 4);
        memcpy(out, &made, sizeof(made));
        return sizeof(made);
    }
    static int callscreen_is_v6(const unsigned char *octets) {
        sa_family_t family;
        memcpy(&family, octets + offsetof(struct sockaddr, sa_family), sizeof(family));
        return family == AF_INET6;
    }
    """
    int EINTR, EAGAIN, EWOULDBLOCK
    int MSG_DONTWAIT, MSG_WAITFORONE
    uint32_t callscreen_address(
        unsigned char *out, int socket_v6, int v6, const unsigned char *octets) noexcept nogil
    int recvmmsg(
        int file, mmsghdr *heads, unsigned int count, int flags, void *timeout
    ) noexcept nogil
    uint32_t callscreen_told(msghdr *head, unsigned char *own, uint32_t *own_size) noexcept nogil
    int callscreen_errors(int file) noexcept nogil
    void callscreen_pause() noexcept nogil
    int callscreen_errno() noexcept nogil
    uint64_t callscreen_clock() noexcept nogil
    uint32_t callscreen_port(const unsigned char *octets) noexcept nogil
    int callscreen_is_v6(const unsigned char *octets) noexcept nogil


cdef int open_inbox(Inbox *inbox) except -1:
    cdef int i
    memset(inbox, 0, sizeof(Inbox))
    inbox.area = <char *>big_area(MESSAGES * MESSAGE_STEP)
    memset(inbox.area, 0, MESSAGES * MESSAGE_STEP)  # no page is missing later
    for i in range(MESSAGES):
        inbox.parts[i].iov_base = inbox.area + <size_t>i * MESSAGE_STEP
        inbox.parts[i].iov_len = MESSAGE_ROOM
        inbox.heads[i].msg_hdr.msg_name = inbox.places[i].octets
        inbox.heads[i].msg_hdr.msg_iov = &inbox.parts[i]
        inbox.heads[i].msg_hdr.msg_iovlen = 1
        inbox.heads[i].msg_hdr.msg_control = inbox.control[i]
    return 0


cdef void close_inbox(Inbox *inbox) noexcept nogil:
    if inbox.area != NULL:
        free_area(inbox.area, MESSAGES * MESSAGE_STEP)
        inbox.area = NULL


cdef int wait_close(Inbox *inbox, int file) noexcept nogil:
    """As recvmmsg, first for so long as the next may be near without sleep."""
    cdef uint64_t begun = callscreen_clock() if inbox.spin_ns else 0
    cdef int count = -1
    while inbox.close and count < 0:
        count = recvmmsg(file, inbox.heads, MESSAGES, MSG_DONTWAIT, NULL)
        if count < 0 and not (callscreen_errno() in (EAGAIN, EWOULDBLOCK)):
            return count
        inbox.close = count > 0 or callscreen_clock() - begun < inbox.spin_ns
    if count < 0:  # the socket has a receive time-out of WAIT_MS
        count = recvmmsg(file, inbox.heads, MESSAGES, MSG_WAITFORONE, NULL)
        inbox.close = (
            count > 0 and inbox.spin_ns and callscreen_clock() - begun < inbox.spin_ns)
    return count


cdef int receive(Inbox *inbox, int file, Counts *counts) noexcept nogil:
    cdef int i, error, errors
    for i in range(MESSAGES):
        inbox.heads[i].msg_hdr.msg_namelen = ADDRESS
        inbox.heads[i].msg_hdr.msg_controllen = CONTROL
    inbox.message = -1
    inbox.at = inbox.step = 0
    inbox.count = wait_close(inbox, file)
    if inbox.count >= 0:
        return inbox.count
    inbox.count = 0
    error = callscreen_errno()
    if error in (EINTR, EAGAIN, EWOULDBLOCK):
        return 0
    errors = socket_errors(file)
    counts.dropped[<int>DROP_UNREACHABLE] += errors
    if not errors:
        counts.dropped[<int>DROP_FAULT] += 1
        callscreen_pause()  # whatever it is, it is not to take all the time
    return 0


cdef bint next_datagram(
    Inbox *inbox, Octets *data, uint32_t *size, const Place **place
) noexcept nogil:
    cdef uint32_t left = 0
    cdef Place *came
    if inbox.message >= 0:
        left = inbox.heads[inbox.message].msg_len - inbox.at
    if not left:
        inbox.message += 1
        if inbox.message >= inbox.count:
            inbox.message, inbox.count = -1, 0
            return False
        left = inbox.heads[inbox.message].msg_len
        inbox.at = 0
        came = &inbox.places[inbox.message]
        came.size = min(inbox.heads[inbox.message].msg_hdr.msg_namelen, <uint32_t>ADDRESS)
        inbox.step = callscreen_told(
            &inbox.heads[inbox.message].msg_hdr, came.own, &came.own_size)
    data[0] = <Octets>inbox.parts[inbox.message].iov_base + inbox.at
    size[0] = inbox.step if 0 < inbox.step < left else left
    place[0] = &inbox.places[inbox.message]
    inbox.at += size[0]
    return True


cdef const unsigned char *place_address(
    const Place *place, bint *v6, uint32_t *port
) noexcept nogil:
    v6[0] = callscreen_is_v6(place.octets)
    port[0] = callscreen_port(place.octets)
    return place.octets + (8 if v6[0] else 4)


cdef bint place_for(
    Place *out, const Place *like, bint v6, const unsigned char *octets
) noexcept nogil:
    out.own_size = 0
    out.size = callscreen_address(out.octets, callscreen_is_v6(like.octets), v6, octets)
    return out.size != 0


cdef int socket_errors(int file) noexcept nogil:
    return callscreen_errors(file)
