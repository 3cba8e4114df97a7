"""A call record on the wire. What it promises stands in recording.pxd."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from callscreen.fastpath.answer_write cimport Out
from callscreen.fastpath.arena cimport Arena, at as block_at
from callscreen.fastpath.counts cimport REASONS, TREATMENTS as TREATMENT_WORDS
from callscreen.fastpath.decide cimport (
    CALLED_INPUT, CALLING_INPUT, SOURCE_INPUT, SUBSCRIBER_INPUT, TEXT_INPUT, Decision, Trace,
)
from callscreen.fastpath.extract_number cimport Found
from callscreen.fastpath.plan cimport EMERGENCY, SERVICE_SELECTION
from callscreen.fastpath.record_pen cimport (
    WIDE, WORD, Pen, Word, begin, end, put_arena, put_packed, put_size, put_text, put_varint,
    put_word, room,
)
from callscreen.fastpath.record_text cimport ID_TEXT, NUMBER_TEXT, Ids, write_id, write_mask
from callscreen.fastpath.tables cimport (
    CriteriaRow, NumberSlot, SubscriberRow, find_number, numbers_of,
)

from .model import TREATMENTS
from .plan import OUTCOME_WORDS, RULE_WORDS, SCOPE_WORDS

cdef enum:
    SCOPES = 5
    OUTCOMES = 13

cdef Word rules[REASONS]
cdef Word scopes[SCOPES]
cdef Word outcomes[OUTCOMES]
cdef Word treatments[TREATMENT_WORDS]


cdef int take_words(Word *out, object words, int count) except -1:
    if len(words) != count or max(map(len, words)) > WORD:
        raise ValueError(f"other words than were compiled for: {words}")
    for i, word in enumerate(words):
        text = word.encode()
        out[<int>i].size = <uint8_t>len(text)
        memcpy(out[<int>i].text, <const char *>text, len(text))
    return 0


take_words(rules, RULE_WORDS, REASONS)
take_words(scopes, SCOPE_WORDS, SCOPES)
take_words(outcomes, OUTCOME_WORDS, OUTCOMES)
take_words(treatments, TREATMENTS, TREATMENT_WORDS)


cdef void put_called(Pen *pen, unsigned char tag, const Told *told, int product) noexcept nogil:
    """The called number as screened; as it was read where it is no number."""
    if told.call.called[product]:
        put_packed(pen, tag, told.call.called[product])
    else:
        put_text(pen, tag, told.called[product].text, told.called[product].size)


# Steps

cdef void put_input(
    Pen *pen, unsigned char tag, const Told *told, const Trace *step
) noexcept nogil:
    cdef const NumberSlot *slot
    if step.input == CALLING_INPUT:
        put_packed(pen, tag, told.call.calling[step.product])
    elif step.input == CALLED_INPUT:
        put_packed(pen, tag, told.call.called[step.product])
    elif step.input == SOURCE_INPUT:
        if told.call.source.family:
            put_text(pen, tag, told.source.at, told.source.size)
    elif step.input == TEXT_INPUT:
        put_text(pen, tag, told.called[step.product].text, told.called[step.product].size)
    elif step.input == SUBSCRIBER_INPUT:
        slot = find_number(numbers_of(told.data, step.product), told.call.called[step.product])
        if slot != NULL:  # gone meanwhile: then the whole record is made again
            put_arena(
                pen, tag, &told.data.arena, told.data.subscribers.rows[slot.subscriber].name
            )


cdef void put_entry(
    Pen *pen, unsigned char tag, const Told *told, const Trace *step
) noexcept nogil:
    cdef char text[NUMBER_TEXT + 1]
    cdef const Arena *arena = &told.data.arena
    cdef const CriteriaRow *row
    cdef uint32_t name, group
    if step.matched:
        put_text(pen, tag, text, write_mask(text, step.entry))
    elif step.rule == EMERGENCY:
        put_input(pen, tag, told, step)
    elif step.rule == SERVICE_SELECTION:
        row = told.decision.service
        name = told.data.providers[row.provider].name
        name = <uint32_t>block_at(arena, name)[0] if name else 0
        group = <uint32_t>block_at(arena, row.group)[0] if row.group else 0
        if name + group + 1 > WIDE or not room(pen, name + group + 4):
            pen.full = True
            return
        put_size(pen, tag, name + group + 1)
        memcpy(pen.at, block_at(arena, told.data.providers[row.provider].name) + 1, name)
        pen.at[name] = c'/'
        memcpy(pen.at + name + 1, block_at(arena, row.group) + 1, group)
        pen.at += name + group + 1


cdef void put_trace(Pen *pen, const Told *told) noexcept nogil:
    cdef const Trace *step
    cdef char *start
    cdef uint32_t i
    for i in range(told.decision.count):
        step = &told.decision.trace[i]
        start = begin(pen, 0x42)
        put_word(pen, 0x0A, &rules[step.rule])
        put_input(pen, 0x12, told, step)
        put_entry(pen, 0x1A, told, step)
        put_word(pen, 0x22, &scopes[step.scope])
        put_word(pen, 0x2A, &outcomes[step.outcome])
        put_word(pen, 0x32, &treatments[step.treatment])
        end(pen, start)


cdef inline void put_plain(Pen *pen, const void *text, uint32_t size) noexcept nogil:
    if room(pen, size):
        memcpy(pen.at, text, size)
        pen.at += size


cdef inline void put_bare(Pen *pen, const Word *word) noexcept nogil:
    if room(pen, WORD):
        memcpy(pen.at, word.text, WORD)
        pen.at += word.size


cdef void put_events(Pen *pen, const Told *told) noexcept nogil:
    """`ms:rule:outcome` in order; no rule here waits, so that all stand at 0."""
    cdef const Trace *step
    cdef char *start = begin(pen, 0x4A)
    cdef char status[3]
    cdef uint32_t i
    put_plain(pen, b"0:invite", 8)
    for i in range(told.decision.count):
        step = &told.decision.trace[i]
        put_plain(pen, b";0:", 3)
        put_bare(pen, &rules[step.rule])
        put_plain(pen, b":", 1)
        put_bare(pen, &outcomes[step.outcome])
    if told.onward.size:
        put_plain(pen, b";0:forward:", 11)
        put_plain(pen, told.onward.at, told.onward.size)
        end(pen, start)
        return
    put_plain(pen, b";0:answer:", 10)
    status[0] = <char>(c'0' + told.status // 100)
    status[1] = <char>(c'0' + told.status // 10 % 10)
    status[2] = <char>(c'0' + told.status % 10)
    put_plain(pen, status, 3)
    end(pen, start)


cdef void put_verdict(Pen *pen, const Told *told) noexcept nogil:
    cdef const Decision *decision = told.decision
    cdef const SubscriberRow *row
    cdef char *start = begin(pen, 0x52)
    put_word(pen, 0x0A, &treatments[decision.treatment])
    put_word(pen, 0x12, &rules[decision.reason])
    if decision.provisioned:
        row = &told.data.subscribers.rows[decision.subscriber]
        put_varint(pen, 0x18, decision.product)
        put_arena(pen, 0x22, &told.data.arena, told.data.providers[row.provider].name)
        put_arena(pen, 0x2A, &told.data.arena, row.name)
    put_called(pen, 0x32, told, decision.product)
    put_packed(pen, 0x3A, told.call.calling[decision.product])
    put_trace(pen, told)
    put_varint(pen, 0x48, told.data.revision)
    end(pen, start)


cdef void put_moment(Pen *pen, uint64_t now_ns) noexcept nogil:
    """Both ends of the call: the answer ended it, at once."""
    cdef char *start = begin(pen, 0x1A)
    cdef uint32_t size
    put_varint(pen, 0x08, now_ns // 1000000000)
    put_varint(pen, 0x10, now_ns % 1000000000)
    end(pen, start)
    size = <uint32_t>(pen.at - start) + 3
    if room(pen, size):
        memcpy(pen.at, start - 3, size)
        pen.at[0] = 0x22
        pen.at += size


cdef void write_record(Out *out, Ids *ids, const Told *told) noexcept nogil:
    cdef const Decision *decision = told.decision
    cdef const SubscriberRow *row
    cdef Pen pen
    cdef char *start
    cdef char name[ID_TEXT]
    pen.at, pen.end, pen.full = out.at, out.at + out.room, False
    write_id(ids, told.now_ns, name)
    start = begin(&pen, 0x12)
    put_text(&pen, 0x0A, name, ID_TEXT)
    put_varint(&pen, 0x10, decision.product if decision.provisioned else told.product)
    put_moment(&pen, told.now_ns)
    put_called(&pen, 0x2A, told, decision.product)
    put_packed(&pen, 0x32, told.call.calling[decision.product])
    if decision.provisioned:
        row = &told.data.subscribers.rows[decision.subscriber]
        put_arena(&pen, 0x3A, &told.data.arena, told.data.providers[row.provider].name)
        put_arena(&pen, 0x42, &told.data.arena, row.name)
    put_events(&pen, told)
    put_verdict(&pen, told)
    put_text(&pen, 0x5A, told.call_id.at, min(told.call_id.size, <uint32_t>TEXT_LIMIT))
    put_text(&pen, 0x62, told.source.at, told.source.size)
    put_varint(&pen, 0x68, told.status)
    put_text(&pen, 0x72, told.edge.at, told.edge.size)
    if told.more.size and pen.end - pen.at >= <long>told.more.size:
        put_plain(&pen, told.more.at, told.more.size)
    end(&pen, start)
    out.size = out.room + 1 if pen.full else <size_t>(pen.at - out.at)
