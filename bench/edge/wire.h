/* Datagrams out and in, many at a time.

   1. With `segment` datagrams of one size leave as one send (UDP_SEGMENT), else as one sendmmsg.
   2. What arrives is given one datagram at a time, also where the kernel joined several (UDP_GRO).
   3. Nothing here waits: what cannot be sent is counted. */

#ifndef WIRE_H
#define WIRE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define SEGMENTS 64       /* datagrams of one send, as the kernel allows */
#define SEND_OCTETS 65000 /* of one send */
#define READS 64          /* messages of one recvmmsg */
#define READ_OCTETS 65536
#define SOCKET_OCTETS (8 << 20)

struct sender {
    int fd, segment;
    char octets[SEGMENTS * 2048];
    struct iovec vector[SEGMENTS];
    struct mmsghdr message[SEGMENTS];
    unsigned count, size; /* datagrams waiting; the size of the first */
    size_t used;
    uint64_t refused;     /* datagrams the kernel did not take */
};

struct receiver {
    int fd;
    char *octets;
    struct iovec vector[READS];
    struct mmsghdr message[READS];
    char control[READS][64];
    struct sockaddr_in from[READS];
};

static inline uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void segmented(struct sender *out)
{
    char control[CMSG_SPACE(sizeof(uint16_t))] = {0};
    struct iovec vector = {out->octets, out->used};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (out->count > 1) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = IPPROTO_UDP;
        head->cmsg_type = UDP_SEGMENT;
        head->cmsg_len = CMSG_LEN(sizeof(uint16_t));
        *(uint16_t *)CMSG_DATA(head) = (uint16_t)out->size;
    }
    if (sendmsg(out->fd, &message, 0) < 0)
        out->refused += out->count;
}

static void flush(struct sender *out)
{
    if (!out->count)
        return;
    if (out->segment) {
        segmented(out);
    } else {
        for (unsigned done = 0; done < out->count;) {
            int sent = sendmmsg(out->fd, out->message + done, out->count - done, 0);
            if (sent <= 0) { /* of a peer that is gone: the next goes out all the same */
                out->refused++;
                done++;
            } else {
                done += (unsigned)sent;
            }
        }
    }
    out->count = 0;
    out->used = 0;
}

/* Where the next datagram is written, of at most 2,048 octets. */
static inline char *room(struct sender *out)
{
    if (out->count == SEGMENTS || out->used + 2048 > SEND_OCTETS)
        flush(out);
    return out->octets + out->used;
}

static inline void put(struct sender *out, unsigned size)
{
    char *at = out->octets + out->used;
    if (out->segment && out->count && size > out->size) { /* only the last may be shorter */
        flush(out);
        memmove(out->octets, at, size);
        at = out->octets;
    }
    if (!out->count)
        out->size = size;
    out->vector[out->count] = (struct iovec){at, size};
    out->message[out->count].msg_hdr =
        (struct msghdr){.msg_iov = &out->vector[out->count], .msg_iovlen = 1};
    out->count++;
    out->used += size;
    if (out->segment && size < out->size)
        flush(out);
}

static void open_receiver(struct receiver *in, int fd, int join)
{
    int octets = SOCKET_OCTETS;
    in->fd = fd;
    in->octets = malloc((size_t)READS * READ_OCTETS);
    if (!in->octets)
        exit(2);
    memset(in->octets, 0, (size_t)READS * READ_OCTETS); /* no page is first touched under load */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
    if (join && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &join, sizeof join))
        perror("UDP_GRO");
}

/* Messages read, each of one or more datagrams; 0 for none. */
static inline int receive(struct receiver *in, int flags)
{
    for (int i = 0; i < READS; i++) {
        in->vector[i] = (struct iovec){in->octets + (size_t)i * READ_OCTETS, READ_OCTETS};
        in->message[i].msg_hdr = (struct msghdr){
            .msg_iov = &in->vector[i], .msg_iovlen = 1, .msg_control = in->control[i],
            .msg_controllen = sizeof in->control[i], .msg_name = &in->from[i],
            .msg_namelen = sizeof in->from[i]};
    }
    int got = recvmmsg(in->fd, in->message, READS, flags, NULL);
    return got < 0 ? 0 : got;
}

/* From now on the kernel says when each message arrived. */
static void stamp(struct receiver *in)
{
    int yes = 1;
    if (setsockopt(in->fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes))
        perror("SO_TIMESTAMPNS");
}

/* When a message arrived, by the clock of day in ns; 0 where the kernel did not say. */
static inline uint64_t arrived(struct receiver *in, int place)
{
    struct msghdr *head = &in->message[place].msg_hdr;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c; c = CMSG_NXTHDR(head, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec time;
            memcpy(&time, CMSG_DATA(c), sizeof time);
            return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
        }
    return 0;
}

/* The size of the datagrams that a message is made of. */
static inline unsigned segment_size(struct receiver *in, int place)
{
    struct msghdr *head = &in->message[place].msg_hdr;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c; c = CMSG_NXTHDR(head, c))
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
            return *(uint16_t *)CMSG_DATA(c);
    return in->message[place].msg_len;
}

#endif
