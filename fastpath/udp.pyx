"""Datagrams in and out of a socket. What it promises stands in udp.pxd."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from callscreen.fastpath.area cimport big_area, free_area
from callscreen.fastpath.counts cimport (
    DROP_FAULT, DROP_SEND_BUFFER, DROP_UNREACHABLE, DROP_UNSENDABLE, Counts,
)
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
    #ifndef UDP_SEGMENT
    #define UDP_SEGMENT 103
    #endif
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
    static char *callscreen_add(
        struct msghdr *head, char *control, int level, int type, const void *data, size_t size
    ) {
        struct cmsghdr *one = (struct cmsghdr *)(control + head->msg_controllen);
        head->msg_control = control;
        head->msg_controllen += CMSG_SPACE(size);
        one->cmsg_level = level;
        one->cmsg_type = type;
        one->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(one), data, size);
        return control;
    }
    static void callscreen_tell(
        struct msghdr *head, char *control, uint16_t segment, const void *own, uint32_t own_size
    ) {
        if (own_size == sizeof(struct in_pktinfo))
            callscreen_add(head, control, IPPROTO_IP, IP_PKTINFO, own, own_size);
        else if (own_size)
            callscreen_add(head, control, IPPROTO_IPV6, IPV6_PKTINFO, own, own_size);
        if (segment) callscreen_add(head, control, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
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
    static int callscreen_writable(int file) {
        struct pollfd one = {.fd = file, .events = POLLOUT};
        return poll(&one, 1, 1) == 1;  /* a millisecond, for a network card that is behind */
    }
    static uint32_t callscreen_port(const unsigned char *octets) {
        return (uint32_t)octets[2] << 8 | octets[3];
    }
    static int callscreen_is_v6(const unsigned char *octets) {
        sa_family_t family;
        memcpy(&family, octets + offsetof(struct sockaddr, sa_family), sizeof(family));
        return family == AF_INET6;
    }
    """
    int EINTR, EAGAIN, EWOULDBLOCK, ENOBUFS, ENOMEM
    int EIO, ENOPROTOOPT, EOPNOTSUPP
    int MSG_WAITFORONE, MSG_DONTWAIT, MSG_NOSIGNAL
    int recvmmsg(
        int file, mmsghdr *heads, unsigned int count, int flags, void *timeout
    ) noexcept nogil
    int sendmmsg(int file, mmsghdr *heads, unsigned int count, int flags) noexcept nogil
    uint32_t callscreen_told(msghdr *head, unsigned char *own, uint32_t *own_size) noexcept nogil
    void callscreen_tell(
        msghdr *head, char *control, uint16_t segment, const void *own, uint32_t own_size
    ) noexcept nogil
    int callscreen_errors(int file) noexcept nogil
    void callscreen_pause() noexcept nogil
    int callscreen_errno() noexcept nogil
    int callscreen_writable(int file) noexcept nogil
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


cdef int receive(Inbox *inbox, int file, Counts *counts) noexcept nogil:
    cdef int i, error, errors
    for i in range(MESSAGES):
        inbox.heads[i].msg_hdr.msg_namelen = ADDRESS
        inbox.heads[i].msg_hdr.msg_controllen = CONTROL
    inbox.message = -1
    inbox.at = inbox.step = 0
    # The socket has a receive time-out of WAIT_MS.
    inbox.count = recvmmsg(file, inbox.heads, MESSAGES, MSG_WAITFORONE, NULL)
    if inbox.count >= 0:
        return inbox.count
    inbox.count = 0
    error = callscreen_errno()
    if error in (EINTR, EAGAIN, EWOULDBLOCK):
        return 0
    errors = callscreen_errors(file)
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


cdef inline uint32_t finding(const Place *place, size_t size) noexcept nogil:
    """Where to look for the group of a place and a size."""
    cdef uint64_t word, hash = <uint64_t>size
    cdef uint32_t at = 0
    while at + 8 <= place.size:
        memcpy(&word, place.octets + at, 8)
        hash = (hash ^ word) * <uint64_t>0x9E3779B97F4A7C15
        hash ^= hash >> 32
        at += 8
    return <uint32_t>hash & (FINDING - 1)


cdef inline bint is_group(const Group *group, const Place *to, size_t size) noexcept nogil:
    return (
        group.size == size and group.place.size == to.size
        and group.place.own_size == to.own_size
        and memcmp(group.place.octets, to.octets, to.size) == 0
        and memcmp(group.place.own, to.own, to.own_size) == 0
    )


cdef uint16_t group_for(Outbox *outbox, const Place *to, size_t size) noexcept nogil:
    """The group that an answer belongs to; a new one where there is none, or it is full."""
    cdef uint16_t at = outbox.groups
    cdef uint32_t place
    cdef Group *group
    if outbox.segmenting and size <= SEGMENT_OCTETS:
        place = finding(to, size)
        while outbox.found[place]:
            group = &outbox.group[outbox.found[place] - 1]
            if is_group(group, to, size):
                if group.count < SEGMENTS and (group.count + 1) * size <= JOINED_OCTETS:
                    return outbox.found[place] - 1
                break
            place = (place + 1) & (FINDING - 1)
        outbox.found[place] = <uint8_t>(at + 1)
    outbox.groups += 1
    outbox.group[at].place = to[0]
    outbox.group[at].size = <uint32_t>size
    outbox.group[at].count = 0
    return at


cdef void post(
    Outbox *outbox, const Place *place, uint32_t port, char *octets, size_t size
) noexcept nogil:
    cdef Place to = place[0]
    cdef uint16_t at
    to.octets[2] = <unsigned char>(port >> 8)
    to.octets[3] = <unsigned char>port
    at = group_for(outbox, &to, size)
    outbox.group[at].count += 1
    outbox.group_of[outbox.answers] = at
    outbox.answer[outbox.answers].iov_base = octets
    outbox.answer[outbox.answers].iov_len = size
    outbox.answers += 1


cdef void address_head(
    mmsghdr *head, char *control, Group *group, uint16_t segment
) noexcept nogil:
    memset(head, 0, sizeof(mmsghdr))
    head.msg_hdr.msg_name = group.place.octets
    head.msg_hdr.msg_namelen = group.place.size
    if segment or group.place.own_size:
        callscreen_tell(&head.msg_hdr, control, segment, group.place.own, group.place.own_size)


cdef void make_messages(Outbox *outbox) noexcept nogil:
    """A message a group, its answers in the order in which they came."""
    cdef uint16_t i, first = 0
    cdef Group *group
    for i in range(outbox.groups):
        group = &outbox.group[i]
        group.first = first
        first += group.count
        address_head(
            &outbox.heads[i], outbox.control[i], group,
            <uint16_t>group.size if group.count > 1 else 0)
        outbox.heads[i].msg_hdr.msg_iov = &outbox.parts[group.first]
        outbox.heads[i].msg_hdr.msg_iovlen = group.count
        group.count = 0
    for i in range(outbox.answers):
        group = &outbox.group[outbox.group_of[i]]
        outbox.parts[group.first + group.count] = outbox.answer[i]
        group.count += 1


cdef inline uint32_t drop_kind(int error) noexcept nogil:
    if error in (EAGAIN, EWOULDBLOCK, ENOBUFS, ENOMEM):
        return DROP_SEND_BUFFER
    return DROP_UNSENDABLE


cdef void send_singly(Outbox *outbox, Group *group, int file, Counts *counts) noexcept nogil:
    """The answers of a group that the kernel would not take apart, or of one it refused."""
    cdef mmsghdr one
    cdef char control[CONTROL]
    cdef uint16_t i
    for i in range(group.count):
        address_head(&one, control, group, 0)
        one.msg_hdr.msg_iov = &outbox.parts[group.first + i]
        one.msg_hdr.msg_iovlen = 1
        if sendmmsg(file, &one, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1:
            outbox.messages += 1
        else:
            counts.dropped[drop_kind(callscreen_errno())] += 1


cdef void refused(Outbox *outbox, uint16_t at, int file, int error, Counts *counts) noexcept nogil:
    """What becomes of a message that was not taken for another reason than want of room."""
    if outbox.group[at].count == 1:
        counts.dropped[drop_kind(error)] += 1
        return
    if error in (EIO, ENOPROTOOPT, EOPNOTSUPP):
        outbox.segmenting = 0  # neither this kernel nor its network card can do it
    send_singly(outbox, &outbox.group[at], file, counts)


cdef void flush(Outbox *outbox, int file, Counts *counts) noexcept nogil:
    cdef uint16_t at = 0
    cdef int sent, error
    cdef bint waited = False, again = False
    if outbox.answers:
        make_messages(outbox)
    while at < outbox.groups:
        sent = sendmmsg(
            file, &outbox.heads[at], outbox.groups - at, MSG_DONTWAIT | MSG_NOSIGNAL)
        if sent > 0:
            at += <uint16_t>sent
            outbox.messages += sent
            again = False
            continue
        error = callscreen_errno()
        if error == EINTR:
            continue
        if error in (EAGAIN, EWOULDBLOCK) and not waited:
            waited = True
            callscreen_writable(file)
            continue
        if drop_kind(error) == DROP_SEND_BUFFER:
            counts.dropped[<int>DROP_SEND_BUFFER] += outbox.group[at].count
        elif not again:  # it may be what became of an earlier answer, told now: once more
            again = True
            counts.dropped[<int>DROP_UNREACHABLE] += callscreen_errors(file)
            continue
        else:
            refused(outbox, at, file, error, counts)
        again = False
        at += 1
    if outbox.answers:
        memset(outbox.found, 0, sizeof(outbox.found))
    outbox.answers = outbox.groups = 0
