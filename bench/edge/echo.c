/* The peer that does nothing but send back what came: what the kernel leaves to a server.

   echo PORT plain     recvmmsg and sendmmsg
   echo PORT segment   recvmmsg, and what is of one peer and size goes back as one UDP_SEGMENT send
   echo PORT joined    UDP_GRO as well: what the kernel joined goes back as it came, never taken apart

   Prints the port it is bound to (0 takes any) and serves until it is killed. */

#include "wire.h"

static struct receiver in;

static void set_segment(struct msghdr *head, void *control, unsigned size)
{
    struct cmsghdr *c = control;
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    *(uint16_t *)CMSG_DATA(c) = (uint16_t)size;
    head->msg_control = control;
    head->msg_controllen = CMSG_SPACE(sizeof(uint16_t));
}

/* Each message as it came, one sendmmsg for all. */
static void back(int got)
{
    for (int i = 0; i < got; i++) {
        struct msghdr *head = &in.message[i].msg_hdr;
        unsigned each = segment_size(&in, i);
        in.vector[i].iov_len = in.message[i].msg_len;
        head->msg_controllen = 0;
        head->msg_flags = 0;
        if (each < in.message[i].msg_len)
            set_segment(head, in.control[i], each);
    }
    for (int done = 0; done < got;) {
        int sent = sendmmsg(in.fd, in.message + done, (unsigned)(got - done), 0);
        done += sent > 0 ? sent : 1;
    }
}

/* Runs of one peer and size, one send each. */
static void back_in_segments(int got)
{
    for (int i = 0, next; i < got; i = next) {
        struct msghdr head = {.msg_name = &in.from[i], .msg_namelen = sizeof in.from[i]};
        unsigned size = in.message[i].msg_len;
        for (next = i; next < got && in.message[next].msg_len == size
             && !memcmp(&in.from[next], &in.from[i], sizeof in.from[i]); next++)
            in.vector[next].iov_len = size;
        head.msg_iov = &in.vector[i];
        head.msg_iovlen = (size_t)(next - i);
        if (next - i > 1)
            set_segment(&head, in.control[i], size);
        sendmsg(in.fd, &head, 0);
    }
}

int main(int count, char **words)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof own;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (count != 3)
        return 2;
    own.sin_port = htons((uint16_t)atoi(words[1]));
    if (fd < 0 || bind(fd, (struct sockaddr *)&own, size)) {
        perror("bind");
        return 1;
    }
    getsockname(fd, (struct sockaddr *)&own, &size);
    printf("%d\n", ntohs(own.sin_port));
    fflush(stdout);
    open_receiver(&in, fd, !strcmp(words[2], "joined"));
    for (;;)
        (strcmp(words[2], "segment") ? back : back_in_segments)(receive(&in, MSG_WAITFORONE));
}
