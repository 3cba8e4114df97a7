"""Answers into a socket. What it promises stands in sending.pxd."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from callscreen.fastpath.counts cimport (
    DROP_SEND_BUFFER, DROP_UNREACHABLE, DROP_UNSENDABLE, Counts,
)
from callscreen.fastpath.udp cimport CONTROL, Place, mmsghdr, msghdr, socket_errors

__all__: list[str] = []

cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <errno.h>
    #include <netinet/in.h>
    #include <poll.h>
    #include <stdint.h>
    #include <string.h>
    #include <sys/socket.h>
    #ifndef UDP_SEGMENT
    #define UDP_SEGMENT 103
    #endif
    #ifndef SOL_UDP
    #define SOL_UDP 17
    #endif
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
    static int callscreen_errno(void) { return errno; }
    static int callscreen_writable(int file) {
        struct pollfd one = {.fd = file, .events = POLLOUT};
        return poll(&one, 1, 1) == 1;  /* a millisecond, for a network card that is behind */
    }
    """
    int EINTR, EAGAIN, EWOULDBLOCK, ENOBUFS, ENOMEM
    int EIO, ENOPROTOOPT, EOPNOTSUPP
    int MSG_DONTWAIT, MSG_NOSIGNAL
    int sendmmsg(int file, mmsghdr *heads, unsigned int count, int flags) noexcept nogil
    void callscreen_tell(
        msghdr *head, char *control, uint16_t segment, const void *own, uint32_t own_size
    ) noexcept nogil
    int callscreen_errno() noexcept nogil
    int callscreen_writable(int file) noexcept nogil


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
            if at < outbox.groups:  # the kernel kept to itself why it stopped there
                counts.dropped[<int>DROP_UNREACHABLE] += socket_errors(file)
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
            counts.dropped[<int>DROP_UNREACHABLE] += socket_errors(file)
            continue
        else:
            refused(outbox, at, file, error, counts)
        again = False
        at += 1
    if outbox.answers:
        memset(outbox.found, 0, sizeof(outbox.found))
    outbox.answers = outbox.groups = 0
