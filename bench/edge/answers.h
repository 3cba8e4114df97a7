/* Answers, matched to their calls and looked at.

   An answer is right if its branch, Call-ID and CSeq are those of a call that waits for one, its To
   has a tag, and its status and Contact are those that the call has to get. */

#ifndef ANSWERS_H
#define ANSWERS_H

#include "calls.h"

#define EGRESS "egress.example"
#define MAIL "mail.example"

enum verdict { RIGHT, WRONG, FOREIGN };

struct answer {
    int status;
    uint64_t id;
    const char *tag; /* of To; not ended by a zero */
    unsigned tag_size;
    int identity; /* has an Identity, which is not looked into */
};

static inline uint64_t hexadecimal(const char *text, unsigned digits)
{
    uint64_t value = 0;
    while (digits--) {
        char c = *text++;
        value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value;
}

/* The id of the call whose Via this line is; 0 for none. */
static inline uint64_t branch_id(const char *line, const char *end)
{
    static const char mark[] = "branch=z9hG4bK";
    const char *at = memmem(line, (size_t)(end - line), mark, sizeof mark - 1);
    if (!at || end - at < (long)(sizeof mark - 1 + ID))
        return 0;
    return hexadecimal(at + sizeof mark - 1, ID);
}

static inline int contact_right(const char *line, const char *end, const struct call *call)
{
    static const char start[] = "Contact: <sip:+";
    const char *place = call->outcome == PASSED ? EGRESS : MAIL;
    size_t size = strlen(place);
    const char *host = line + sizeof start - 1 + DIGITS + 1;
    return end - host > (long)size && !memcmp(line, start, sizeof start - 1)
        && !memcmp(line + sizeof start - 1, call->called, DIGITS) && host[-1] == '@'
        && !memcmp(host, place, size) && (host[size] == '>' || host[size] == ';');
}

static enum verdict look(const struct workload *load, const char *data, unsigned size,
                         struct answer *answer, struct call *call)
{
    static const int statuses[] = {302, 603, 302, 404};
    const char *end = data + size, *line = data, *next;
    int contact = 0, named = 0, numbered = 0;

    answer->id = 0;
    answer->tag_size = 0;
    answer->identity = 0;
    if (size < 12 || memcmp(data, "SIP/2.0 ", 8))
        return FOREIGN;
    answer->status = (data[8] - '0') * 100 + (data[9] - '0') * 10 + data[10] - '0';
    while ((next = memchr(line, '\n', (size_t)(end - line))) && next - line > 1) {
        switch (*line) {
        case 'V':
            if (!answer->id) {
                answer->id = branch_id(line, next);
                if ((answer->id & ~0xffffffffull) != load->nonce)
                    return FOREIGN;
                make_call(load, (uint32_t)answer->id, call);
            }
            break;
        case 'T': {
            const char *at = memmem(line, (size_t)(next - line), ";tag=", 5);
            if (at) {
                answer->tag = at + 5;
                answer->tag_size = (unsigned)(next - answer->tag - (next[-1] == '\r'));
            }
            break;
        }
        case 'I':
            answer->identity |= next - line > 100 && !memcmp(line, "Identity: ", 10);
            break;
        case 'C':
            if (!answer->id)
                break;
            if (next - line > 9 + ID && !memcmp(line, "Call-ID: ", 9))
                named = !memcmp(line + 9, call->hex, ID);
            else if (next - line > 14 && !memcmp(line, "CSeq: 1 INVITE", 14))
                numbered = 1;
            else if (next - line > 10 && !memcmp(line, "Contact: ", 9))
                contact = contact_right(line, next, call) ? 1 : -1;
        }
        line = next + 1;
    }
    if (!answer->id)
        return FOREIGN;
    if (!named || !numbered || !answer->tag_size || answer->tag_size > 128
        || answer->status != statuses[call->outcome])
        return WRONG;
    return contact == (answer->status == 302) ? RIGHT : WRONG;
}

/* An INVITE that came back as it was sent. */
static enum verdict look_at_echo(const struct workload *load, const char *data, unsigned size,
                                 struct answer *answer, struct call *call)
{
    const char *line = memchr(data, '\n', size);
    answer->status = 0;
    answer->tag_size = 0;
    answer->id = line ? branch_id(line, line + 200 < data + size ? line + 200 : data + size) : 0;
    if ((answer->id & ~0xffffffffull) != load->nonce)
        return FOREIGN;
    make_call(load, (uint32_t)answer->id, call);
    return RIGHT;
}

#endif
