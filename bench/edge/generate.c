/* Calls a SIP server over UDP as fast as it answers, or at a given rate, and looks at each answer.

   generate --to HOST:PORT [--seconds 2] [--warm 0.5] [--window 1024 | --rate CALLS]
            [--ack] [--plain] [--echo] [--burst 64] [--junk 0] [--grace 0.25] [--seed 1]
            [--subscribers 1000000] [--listed 1000000] [--shares 60,15,15,10]
            [--from 127.0.0.1] [--signed] [--patient] [--stamped]

   1. `--window`: so many calls wait for an answer at any time. `--rate`: calls leave at their time,
      whether or not others were answered; latency counts from the time that was meant.
   2. Shares, in percent: passed on (302), declined (603), voice mail (302), unknown (404).
   3. A call is lost where nothing came for `--grace` seconds (0.25) since.
   4. `--signed`: a call that is passed on must get an Identity; without it, none. All numbers have
      a + then.
   5. `--patient`: with a window, it sleeps until an answer comes. Two that look all the time on one
      core keep each other from it for milliseconds, which then count as the server's.
   6. `--stamped`: latency is from the send itself to the arrival by the kernel's clock, and calls
      that were due while the generator itself did not run are left out, not sent in a burst: what
      else runs on its core is no delay of the server's.
   7. One line of JSON is printed: what was sent and answered within the seconds measured, answers by
      what they should have been, and octets of nothing else. */

#include "answers.h"
#include "wire.h"

#include <poll.h>

#define SLOTS (1u << 20) /* calls under way, at most */
#define BINS 8192        /* of latency: 128 for each power of two, so within 0.8 % */

struct slot { uint64_t sent; uint32_t number; uint32_t waits; };

struct tally {
    uint64_t sent, answered, right[OUTCOMES], wrong, foreign, again, late, refused, lost, junk;
    uint64_t first, last; /* ns, of the time measured */
    uint32_t begin;       /* the first call that counts */
    uint64_t bins[BINS];
};

static struct {
    struct workload load;
    struct messages messages;
    struct sender invites, acks;
    struct receiver in;
    struct tally tally;
    uint32_t next;        /* the number of the next call */
    uint64_t under_way;
    int ack, echo, with_identity, patient, stamped;
    uint64_t apart;       /* ns, the clock of day less ours */
    unsigned junk;        /* one broken datagram after so many calls; 0 for none */
    int64_t wrong_shown;
    uint64_t grace;       /* ns without any answer, after which what is under way is lost */
} state;

static struct slot slots[SLOTS];

static unsigned bin(uint64_t ns)
{
    if (ns < 128)
        return (unsigned)ns;
    unsigned power = 63u - (unsigned)__builtin_clzll(ns);
    unsigned at = (power - 6) * 128 + (unsigned)(ns >> (power - 7) & 127);
    return at < BINS ? at : BINS - 1;
}

static double microseconds(unsigned at)
{
    if (at < 128)
        return at / 1e3;
    return (double)((uint64_t)(128 + at % 128) << (at / 128 - 1)) / 1e3;
}

static double quantile(double share)
{
    uint64_t all = 0, seen = 0;
    for (unsigned i = 0; i < BINS; i++)
        all += state.tally.bins[i];
    for (unsigned i = 0; i < BINS; i++)
        if ((seen += state.tally.bins[i]) >= share * (double)all && seen)
            return microseconds(i);
    return 0;
}

/* What no server may fall over: cut off, torn, or another's. Its id is that of no call. */
static void send_junk(uint32_t number)
{
    struct call call;
    char *at = room(&state.invites);
    make_call(&state.load, number, &call);
    memset(call.hex, 'f', ID);
    unsigned size = fill(at, &state.messages.invite[call.kind], &call);
    uint64_t drawn = mixed(number ^ 0xbadu);
    switch (drawn % 5) {
    case 0: size = 1 + (unsigned)(drawn >> 8) % size; break;
    case 1: at[(drawn >> 8) % size] = (char)(drawn >> 40); break;
    case 2: for (unsigned i = 0; i < size; i++) at[i] = (char)mixed(drawn + i); break;
    case 3: memcpy(at, "SIP/2.0 200 OK\r\n", 16); break;
    default: memset(at + 8, 0, 8);
    }
    put(&state.invites, size);
    state.tally.junk++;
}

static inline void send_call(uint64_t at)
{
    struct call call;
    uint32_t number = state.next++;
    struct slot *slot = &slots[number % SLOTS];

    make_call(&state.load, number, &call);
    *slot = (struct slot){at, number, 1};
    put(&state.invites, fill(room(&state.invites), &state.messages.invite[call.kind], &call));
    state.under_way++;
    if (at >= state.tally.first && at < state.tally.last)
        state.tally.sent++;
    if (state.junk && number % state.junk == 0)
        send_junk(number);
}

static void acknowledge(const struct call *call, const struct answer *answer)
{
    char *start = room(&state.acks);
    unsigned size = fill(start, &state.messages.ack[call->kind], call);
    memcpy(start + size, answer->tag, answer->tag_size);
    size += answer->tag_size;
    size += fill(start + size, &state.messages.ack_rest, call);
    put(&state.acks, size);
}

static inline void take(const char *data, unsigned size, uint64_t now)
{
    struct answer answer;
    struct call call;
    struct tally *tally = &state.tally;
    enum verdict verdict = (state.echo ? look_at_echo : look)(&state.load, data, size,
                                                              &answer, &call);
    if (verdict == FOREIGN) {
        tally->foreign++;
        return;
    }
    struct slot *slot = &slots[(uint32_t)answer.id % SLOTS];
    if (slot->number != (uint32_t)answer.id || !slot->waits) {
        tally->again++;
        return;
    }
    slot->waits = 0;
    if (verdict == RIGHT && !state.echo
        && answer.identity != (state.with_identity && call.outcome == PASSED))
        verdict = WRONG;
    state.under_way -= state.under_way > 0;
    if (verdict == WRONG) {
        tally->wrong++;
        if (state.wrong_shown-- > 0)
            fprintf(stderr, "a wrong answer, outcome %d was due:\n%.*s\n", call.outcome,
                    (int)size, data);
    }
    if (state.ack && answer.tag_size && answer.tag_size <= 128)
        acknowledge(&call, &answer);
    if (slot->sent >= tally->first && slot->sent < tally->last) {
        tally->bins[bin(now > slot->sent ? now - slot->sent : 0)]++;
        tally->late++; /* of those sent in the time measured: answered at any time */
        if (verdict == RIGHT)
            tally->right[call.outcome]++;
    }
    if (now >= tally->first && now < tally->last)
        tally->answered++;
}

static int take_all(void)
{
    int got = receive(&state.in, MSG_DONTWAIT), datagrams = 0;
    uint64_t now = got ? now_ns() : 0;
    for (int i = 0; i < got; i++) {
        const char *data = state.in.vector[i].iov_base;
        unsigned size = state.in.message[i].msg_len, each = segment_size(&state.in, i);
        uint64_t stamped = state.stamped ? arrived(&state.in, i) : 0;
        for (unsigned at = 0; at < size; at += each, datagrams++)
            take(data + at, size - at < each ? size - at : each,
                 stamped ? stamped - state.apart : now);
    }
    flush(&state.acks);
    return datagrams;
}

static void keep_window(uint64_t window, unsigned burst)
{
    uint64_t heard = now_ns(), now;
    burst = burst > window ? (unsigned)window : burst;
    while ((now = now_ns()) < state.tally.last) {
        if (now - heard > state.grace) { /* what is under way is lost: the next may go */
            state.under_way = 0;
            heard = now;
        }
        if (state.under_way + burst <= window) {
            while (state.under_way < window)
                send_call(now);
            flush(&state.invites);
        }
        if (take_all())
            heard = now;
        else if (state.patient)
            poll(&(struct pollfd){.fd = state.invites.fd, .events = POLLIN}, 1, 1);
    }
}

static void keep_rate(double rate, unsigned burst, uint64_t begin)
{
    uint64_t sent = 0, now;
    while ((now = now_ns()) < state.tally.last) {
        uint64_t due = (uint64_t)((double)(now - begin) * rate / 1e9);
        if (state.stamped && due > sent + burst)
            sent = due - burst;
        for (unsigned i = 0; sent < due && i < burst; i++) {
            uint64_t meant = begin + (uint64_t)((double)++sent * 1e9 / rate);
            send_call(state.stamped ? now : meant);
        }
        flush(&state.invites);
        take_all();
    }
}

static void show(double seconds)
{
    struct tally *t = &state.tally;
    t->lost = t->sent > t->late ? t->sent - t->late : 0;
    printf("{\"all\": %u, ", state.next); /* calls, warming up included */
    printf("\"seconds\": %.3f, \"sent\": %llu, \"answered\": %llu, \"rate\": %.0f, \"lost\": %llu, ",
           seconds, (unsigned long long)t->sent, (unsigned long long)t->answered,
           (double)t->answered / seconds, (unsigned long long)t->lost);
    printf("\"passed\": %llu, \"declined\": %llu, \"mailed\": %llu, \"unknown\": %llu, ",
           (unsigned long long)t->right[PASSED], (unsigned long long)t->right[DECLINED],
           (unsigned long long)t->right[MAILED], (unsigned long long)t->right[UNKNOWN]);
    printf("\"wrong\": %llu, \"foreign\": %llu, \"again\": %llu, \"junk\": %llu, \"refused\": %llu, ",
           (unsigned long long)t->wrong, (unsigned long long)t->foreign,
           (unsigned long long)t->again, (unsigned long long)t->junk,
           (unsigned long long)(state.invites.refused + state.acks.refused));
    printf("\"p50\": %.2f, \"p90\": %.2f, \"p99\": %.2f, \"p999\": %.2f, \"max\": %.2f}\n",
           quantile(.5), quantile(.9), quantile(.99), quantile(.999), quantile(1));
}

static int connected(const char *to, const char *from, char *own, size_t room_of_own)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char host[64];
    const char *colon = strrchr(to, ':');
    int octets = SOCKET_OCTETS, fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (!colon || (size_t)(colon - to) >= sizeof host || fd < 0)
        return -1;
    memcpy(host, to, (size_t)(colon - to));
    host[colon - to] = 0;
    if (inet_pton(AF_INET, from, &address.sin_addr) != 1
        || bind(fd, (struct sockaddr *)&address, size))
        return -1;
    address.sin_port = htons((uint16_t)atoi(colon + 1));
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1
        || connect(fd, (struct sockaddr *)&address, sizeof address))
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &octets, sizeof octets);
    getsockname(fd, (struct sockaddr *)&address, &size);
    snprintf(own, room_of_own, "%s:%d", from, ntohs(address.sin_port));
    return fd;
}

int main(int count, char **words)
{
    const char *to = NULL, *from = "127.0.0.1", *shares = "60,15,15,10";
    double seconds = 2, warm = 0.5, rate = 0;
    unsigned window = 1024, burst = 64, of[OUTCOMES];
    int plain = 0;
    char own[64];

    state.grace = 250000000;
    state.load = (struct workload){.seed = 1, .subscribers = 1000000, .listed = 1000000,
                                   .notations = KINDS - 1};
    for (int i = 1; i < count; i++) {
        const char *word = words[i];
        if (!strcmp(word, "--ack")) { state.ack = 1; continue; }
        if (!strcmp(word, "--patient")) { state.patient = 1; continue; }
        if (!strcmp(word, "--stamped")) { state.stamped = 1; continue; }
        if (!strcmp(word, "--plain")) { plain = 1; continue; }
        if (!strcmp(word, "--echo")) { state.echo = 1; continue; }
        if (!strcmp(word, "--signed")) {
            state.with_identity = 1;
            state.load.notations = 4; /* +, in either header: what can be signed wherever */
            continue;
        }
        const char *value = i + 1 < count ? words[++i] : "";
        if (!strcmp(word, "--to")) to = value;
        else if (!strcmp(word, "--from")) from = value;
        else if (!strcmp(word, "--seconds")) seconds = atof(value);
        else if (!strcmp(word, "--warm")) warm = atof(value);
        else if (!strcmp(word, "--window")) window = (unsigned)atoi(value);
        else if (!strcmp(word, "--rate")) rate = atof(value);
        else if (!strcmp(word, "--burst")) burst = (unsigned)atoi(value);
        else if (!strcmp(word, "--junk")) state.junk = (unsigned)atoi(value);
        else if (!strcmp(word, "--grace")) state.grace = (uint64_t)(atof(value) * 1e9);
        else if (!strcmp(word, "--show")) state.wrong_shown = atoi(value);
        else if (!strcmp(word, "--seed")) state.load.seed = strtoull(value, NULL, 10);
        else if (!strcmp(word, "--subscribers")) state.load.subscribers = (uint32_t)atoi(value);
        else if (!strcmp(word, "--listed")) state.load.listed = (uint32_t)atoi(value);
        else if (!strcmp(word, "--shares")) shares = value;
        else { fprintf(stderr, "no option %s\n", word); return 2; }
    }
    if (!to || !burst || window > SLOTS / 2
        || sscanf(shares, "%u,%u,%u,%u", &of[0], &of[1], &of[2], &of[3]) != OUTCOMES) {
        fprintf(stderr, "--to HOST:PORT is needed; the first comment says the rest\n");
        return 2;
    }
    for (unsigned i = 0, sum = 0; i < OUTCOMES; i++)
        state.load.upto[i] = sum += of[i];
    int fd = connected(to, from, own, sizeof own);
    if (state.load.upto[OUTCOMES - 1] != 100 || fd < 0) {
        perror("shares are not 100, or no socket");
        return 1;
    }
    uint64_t begin = now_ns();
    /* ids of one run are none of another's: their high half is drawn from the clock */
    state.load.nonce = (mixed(begin ^ state.load.seed) | 1ull << 63) & ~0xffffffffull;
    state.load.seed = mixed(state.load.seed ^ begin) >> 1;
    make_messages(&state.messages, own, to);
    state.invites.fd = state.acks.fd = fd;
    state.invites.segment = state.acks.segment = !plain;
    open_receiver(&state.in, fd, !plain);
    if (state.stamped) {
        struct timespec day;
        stamp(&state.in);
        clock_gettime(CLOCK_REALTIME, &day);
        state.apart = (uint64_t)day.tv_sec * 1000000000u + (uint64_t)day.tv_nsec - now_ns();
    }
    begin = now_ns();
    state.tally.first = begin + (uint64_t)(warm * 1e9);
    state.tally.last = state.tally.first + (uint64_t)(seconds * 1e9);
    if (rate > 0)
        keep_rate(rate, burst, begin);
    else
        keep_window(window, burst);
    for (uint64_t heard = now_ns(); state.under_way && now_ns() - heard < state.grace;)
        if (take_all())
            heard = now_ns();
    show(seconds);
    return state.tally.wrong ? 3 : 0;
}
