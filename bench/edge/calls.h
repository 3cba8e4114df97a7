/* What a call of the load is.

   1. All of a call follows from its number and the seed: who calls whom, in which notation, and what
      the answer has to be. Nothing is kept of a call but when it was sent.
   2. Every INVITE has the same size, so that many fit in one UDP_SEGMENT send without being sorted:
      notations and answers come mixed, as the draw has them.
   3. Numbers are spread over all of +1, as bench/edge/workload.py says: no server's hash meets an
      order that real numbers do not have. */

#ifndef CALLS_H
#define CALLS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS 8000000000ull /* of ten digits, from 2000000000 */
#define STRIDE 4944271909ull  /* from one number to the next: it shares no factor with NUMBERS */
#define PLACES 1000000000u    /* numbers of a kind */

enum kind_of_number { SUBSCRIBER, FRIEND, LISTED, STRANGER, NOBODY, NUMBER_KINDS = 8 };

#define ID 16 /* hexadecimal digits of branch, Call-ID and tag */
#define DIGITS 11
#define KINDS 8 /* four notations, in From or in P-Asserted-Identity */
#define ROOM 2048 /* octets of a message */

enum outcome { PASSED, DECLINED, MAILED, UNKNOWN, OUTCOMES };

struct workload {
    uint64_t seed;
    uint64_t nonce;        /* above the call's number in its id */
    uint32_t subscribers;
    uint32_t listed;       /* entries of the global list */
    unsigned notations;    /* bits that a call's kind may have */
    unsigned upto[OUTCOMES]; /* sums of the shares, the last is 100 */
};

struct call {
    uint64_t id;
    enum outcome outcome;
    unsigned kind;
    char called[DIGITS], caller[DIGITS];
    char hex[ID];
};

static inline uint64_t mixed(uint64_t value) /* splitmix64 */
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

static inline void put_number(char *to, enum kind_of_number kind, uint32_t place)
{
    uint64_t at = (uint64_t)place * NUMBER_KINDS + kind;
    uint64_t value = 2000000000ull + (uint64_t)((unsigned __int128)at * STRIDE % NUMBERS);
    to[0] = '1';
    for (unsigned i = DIGITS - 1; i; i--, value /= 10)
        to[i] = (char)('0' + value % 10);
}

static inline void make_call(const struct workload *load, uint32_t number, struct call *call)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t first = mixed(load->seed + number), second = mixed(first);
    unsigned drawn = (unsigned)(first % 100), outcome = 0;
    uint32_t subscriber = (uint32_t)((first >> 16) % load->subscribers);

    while (drawn >= load->upto[outcome])
        outcome++;
    call->outcome = (enum outcome)outcome;
    call->kind = (unsigned)(first >> 8) % KINDS & load->notations;
    call->id = load->nonce | number;
    for (unsigned i = 0; i < ID; i++)
        call->hex[i] = hex[(call->id >> (4 * (ID - 1 - i))) & 15];
    if (outcome == UNKNOWN)
        put_number(call->called, NOBODY, (uint32_t)(first >> 16) % PLACES);
    else
        put_number(call->called, SUBSCRIBER, subscriber);
    if (outcome == PASSED)
        put_number(call->caller, FRIEND, subscriber);
    else if (outcome == DECLINED)
        put_number(call->caller, LISTED, (uint32_t)(second % load->listed));
    else if (outcome == MAILED && second % 4 == 0) /* a friend, but of another subscriber */
        put_number(call->caller, FRIEND, (subscriber + 1) % load->subscribers);
    else
        put_number(call->caller, STRANGER, (uint32_t)(second >> 8) % PLACES);
}

/* A message with places that a call fills in; a control character stands for each in its text. */
#define AT_ID "\1"
#define AT_CALLED "\2"
#define AT_CALLER "\3"
#define AT_NATIONAL "\4" /* without the country code */

struct template {
    char text[ROOM];
    unsigned size, places;
    struct { uint16_t at; char field; } place[24];
};

static void take_template(struct template *made, const char *format)
{
    static const unsigned widths[] = {0, ID, DIGITS, DIGITS, DIGITS - 1};
    made->size = made->places = 0;
    for (const char *c = format; *c; c++) {
        unsigned width = (unsigned char)*c <= 4 ? widths[(unsigned char)*c] : 1;
        if (made->size + width > ROOM || made->places == 24)
            exit(2);
        if (width > 1) {
            made->place[made->places].at = (uint16_t)made->size;
            made->place[made->places++].field = *c;
        } else {
            made->text[made->size] = *c;
        }
        made->size += width;
    }
}

static inline unsigned fill(char *to, const struct template *from, const struct call *call)
{
    memcpy(to, from->text, from->size);
    for (unsigned i = 0; i < from->places; i++) {
        char *at = to + from->place[i].at;
        switch (from->place[i].field) {
        case 1: memcpy(at, call->hex, ID); break;
        case 2: memcpy(at, call->called, DIGITS); break;
        case 3: memcpy(at, call->caller, DIGITS); break;
        default: memcpy(at, call->caller + 1, DIGITS - 1);
        }
    }
    return from->size;
}

#define SDP \
    "v=0\r\no=- 29739 7272939 IN IP4 10.0.0.8\r\ns=-\r\nc=IN IP4 10.0.0.8\r\nt=0 0\r\n" \
    "m=audio 49217 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"

struct messages {
    struct template invite[KINDS];
    struct template ack[KINDS], ack_rest; /* the To tag stands between them */
};

/* `own` and `peer` are HOST:PORT. The User-Agent fills each message up to the largest's size. */
static void make_messages(struct messages *made, const char *own, const char *peer)
{
    static const char *uris[] = {
        "sip:+" AT_CALLER "@carrier.example;user=phone", "sip:00" AT_CALLER "@carrier.example",
        "sip:" AT_NATIONAL "@carrier.example", "tel:+" AT_CALLER,
    };
    static const char *trunk = "sip:+18885550100@carrier.example";
    static char pad[ROOM], format[2 * ROOM], asserting[ROOM];
    unsigned invite = 0, ack = 0;

    memset(pad, 'x', sizeof pad - 1);
    for (int again = 0; again < 2; again++)
        for (unsigned kind = 0; kind < KINDS; kind++) {
            const char *uri = uris[kind % 4], *from = kind < 4 ? uri : trunk;
            int more = again ? (int)(invite - made->invite[kind].size) : 0;
            int more_ack = again ? (int)(ack - made->ack[kind].size) : 0;
            snprintf(asserting, sizeof asserting, "P-Asserted-Identity: <%s>\r\n", uri);
            snprintf(format, sizeof format,
                     "INVITE sip:+" AT_CALLED "@%s SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP %s;branch=z9hG4bK" AT_ID ";rport\r\n"
                     "Max-Forwards: 69\r\n"
                     "From: <%s>;tag=" AT_ID "\r\n"
                     "To: <sip:+" AT_CALLED "@%s;user=phone>\r\n"
                     "Call-ID: " AT_ID "@carrier.example\r\n"
                     "CSeq: 1 INVITE\r\n"
                     "Contact: <sip:trunk@%s>\r\n"
                     "%s"
                     "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK\r\n"
                     "Supported: 100rel, timer\r\n"
                     "User-Agent: sbc-%.*s\r\n"
                     "Content-Type: application/sdp\r\n"
                     "Content-Length: %zu\r\n\r\n%s",
                     peer, own, from, peer, own, kind < 4 ? "" : asserting, more, pad,
                     strlen(SDP), SDP);
            take_template(&made->invite[kind], format);
            snprintf(format, sizeof format,
                     "ACK sip:+" AT_CALLED "@%s SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP %s;branch=z9hG4bK" AT_ID ";rport\r\n"
                     "User-Agent: sbc-%.*s\r\n"
                     "Max-Forwards: 69\r\n"
                     "CSeq: 1 ACK\r\n"
                     "Call-ID: " AT_ID "@carrier.example\r\n"
                     "From: <%s>;tag=" AT_ID "\r\n"
                     "To: <sip:+" AT_CALLED "@%s;user=phone>;tag=",
                     peer, own, more_ack, pad, from, peer);
            take_template(&made->ack[kind], format);
            invite = made->invite[kind].size > invite ? made->invite[kind].size : invite;
            ack = made->ack[kind].size > ack ? made->ack[kind].size : ack;
        }
    take_template(&made->ack_rest, "\r\nContent-Length: 0\r\n\r\n");
}

#endif
