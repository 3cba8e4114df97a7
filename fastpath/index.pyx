"""The screening index: one writer, flat tables, no Python object on the way of a decision.

reference.py is its plain twin and states the meaning; the same tests run on both.

Invariants:
1. Everything that reads holds the lock, and so does a `commit` while it switches over, so each sees
   the other whole; lists are built before that. Puts and drops on their own take no lock: they are
   for an index that no other thread has yet.
2. A `commit` that is refused for what it says has changed nothing. Only one that ends for want of
   memory or for arguments of a wrong type may leave a part: build the index anew.
3. Chunks of the arena never move, and a block, table or row is given up at one place each. A
   reader without lock and GIL thus needs two things more: a sequence counter, odd during `commit`,
   by which it repeats a decision; and those places handing over to a list that is freed once no
   reader is left in an earlier revision.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from callscreen.fastpath.arena cimport get_text
from callscreen.fastpath.decide cimport (
    CALLED_INPUT, CALLING_INPUT, EMERGENCY_112, EMERGENCY_911, SOURCE_INPUT, SUBSCRIBER_INPUT,
    TEXT_INPUT, Call, Decision, Trace, decide,
)
from callscreen.fastpath.lists cimport ListCount, count_lists, drop_lists, put_lists
from callscreen.fastpath.numbers cimport entry_text, pack_text, unpack_text
from callscreen.fastpath.plan cimport EMERGENCY, SERVICE_SELECTION
from callscreen.fastpath.prefixes cimport parse_address
from callscreen.fastpath.provisioned cimport Block
from callscreen.fastpath.tables cimport NumberSlot, NumberTable, SubscriberRow, find_number

from . import plain
from .model import (
    EMERGENCY_NUMBERS, PRODUCT_NAMES, TREATMENTS, EngineSettings, Operation, Origination, PlanStep,
    SourceNumbers, Step, Verdict, check,
)
from .plan import OUTCOME_WORDS, RULE_WORDS, SCOPE_WORDS

__all__ = [
    "EngineSettings", "Index", "Operation", "Origination", "PlanStep", "SourceNumbers", "Step",
    "Verdict",
]

cdef object new = tuple.__new__  # of a named tuple, without its slower constructor
cdef tuple RULE = RULE_WORDS, SCOPE = SCOPE_WORDS, OUTCOME = OUTCOME_WORDS
cdef dict LISTS_AT = {"put_provider": 2, "put_subscriber": 5, "put_number": 4}  # the argument
cdef tuple TREATMENT = TREATMENTS, PRODUCT = PRODUCT_NAMES


cdef class Index(Routing):
    def commit(self, operations, revision):
        cdef list changes = list(operations)  # whatever makes them runs before a lock is taken
        cdef list blocks = []
        for method, arguments in changes:
            check(method, arguments)
        with self.writing:
            try:
                changes = [
                    (method, self.built(method, arguments, blocks)) for method, arguments in changes
                ]
                with self.lock:
                    for method, arguments in changes:
                        getattr(self, method)(*arguments)
                    if self.criteria_changed:
                        self.build_criteria()
                    self.revision = revision
            finally:
                for block in blocks:
                    drop_lists(&self.data.arena, (<Block>block).offset)

    cdef tuple built(self, str method, tuple arguments, list blocks):
        """The arguments with their lists built in the arena, a Block in place of the first."""
        cdef Block block
        cdef Py_ssize_t at = LISTS_AT.get(method, 0)
        if not at or not (arguments[at] or arguments[at + 1]):
            return arguments
        block = Block()
        block.offset = put_lists(&self.data.arena, arguments[at], arguments[at + 1])
        blocks.append(block)
        return (*arguments[:at], block, None, *arguments[at + 2:])

    cdef uint64_t number_of(self, str text, int product) except? 0:
        """A number, an emergency number bare."""
        cdef uint64_t number = pack_text(text, self.default_ccs[product])
        if number == 0:
            return 0
        if number == self.emergency[product][0]:
            return EMERGENCY_911
        return EMERGENCY_112 if number == self.emergency[product][1] else number

    cdef int fill_call(self, Call* call, int product, str called, str calling, bint anonymous,
                       str source_ip, str point_code) except -1:
        cdef int each
        if not 0 <= product <= 2:
            raise ValueError(f"a product is 0 (both), 1 (PCS) or 2 (CIN), not {product}")
        if self.criteria_changed:
            self.build_criteria()
        memset(call, 0, sizeof(Call))
        for each in range(1, 3):
            call.called[each] = self.number_of(called, each)
            call.calling[each] = self.number_of(calling, each)
        if source_ip:
            call.source = parse_address(source_ip)
        call.point_code = plain.parse_point_code(point_code) if point_code else -1
        call.product = product
        call.anonymous = anonymous
        call.not_called = called == ""
        return 0

    def screen(self, int product, str called, str calling, bint anonymous, str source_ip="",
               str point_code=""):
        cdef Call call
        cdef Decision decision
        with self.lock:
            self.fill_call(&call, product, called, calling, anonymous, source_ip, point_code)
            decide(&self.data, &call, &decision)
            return self.verdict(&call, &decision, called, source_ip)

    cdef object verdict(
        self, const Call* call, const Decision* decision, str called, str source_ip
    ):
        cdef const Trace* step
        cdef uint8_t product = decision.product
        cdef SubscriberRow* row = NULL
        cdef int i
        cdef str shown, entry
        cdef list trace = []
        if decision.provisioned:
            row = &self.data.subscribers.rows[decision.subscriber]
        for i in range(decision.count):
            step = &decision.trace[i]
            shown = ""
            if step.input == CALLING_INPUT:
                shown = number_text(call.calling[step.product])
            elif step.input == CALLED_INPUT:
                shown = number_text(call.called[step.product])
            elif step.input == SOURCE_INPUT:
                shown = source_ip if call.source.family else ""
            elif step.input == TEXT_INPUT:
                shown = called
            elif step.input == SUBSCRIBER_INPUT:
                shown = self.subscriber_of(call.called[step.product], step.product)
            entry = ""
            if step.matched:
                entry = entry_text(step.entry)
            elif step.rule == EMERGENCY:
                entry = shown
            elif step.rule == SERVICE_SELECTION:
                entry = self.criteria_names[decision.criteria]
            trace.append(new(Step, (
                RULE[step.rule], shown, entry, SCOPE[step.scope], OUTCOME[step.outcome],
                TREATMENT[step.treatment],
            )))
        return new(Verdict, (
            TREATMENT[decision.treatment],
            RULE[decision.reason],
            PRODUCT[product] if row else "",
            self.provider_names[row.provider] if row else "",
            get_text(&self.data.arena, row.name) if row else "",
            number_text(call.called[product]) or called,
            number_text(call.calling[product]),
            get_text(&self.data.arena, row.voicemail) if row and row.voicemail else None,
            self.settings_rows[decision.settings],
            tuple(trace),
            self.revision,
        ))

    cdef str subscriber_of(self, uint64_t number, int product):
        cdef NumberSlot* slot = find_number(&self.data.numbers[product], number)
        return get_text(&self.data.arena, self.data.subscribers.rows[slot.subscriber].name)

    def counts(self):
        with self.lock:
            return self.count()

    cdef dict count(self):
        cdef NumberTable* table
        cdef ListCount lists = ListCount(entries=0, inside=0, outside=0)
        cdef uint64_t i, octets
        cdef uint32_t row
        cdef int product
        octets = 8 * <uint64_t>self.data.arena.top
        for product in range(1, 3):
            table = &self.data.numbers[product]
            octets += (table.last + 1) * sizeof(NumberSlot)
            for i in range(table.last + 1):
                count_lists(&self.data.arena, table.slots[i].lists, &lists)
        for row in range(self.data.subscribers.top):
            count_lists(&self.data.arena, self.data.subscribers.rows[row].lists, &lists)
        for row in range(self.data.provider_count):
            count_lists(&self.data.arena, self.data.providers[row].lists, &lists)
        octets += self.data.subscribers.size * sizeof(SubscriberRow)
        octets += 4 * <uint64_t>(self.data.subscribers.last + 1)
        return {
            "numbers": self.data.numbers[1].count + self.data.numbers[2].count,
            "subscribers": self.data.subscribers.count,
            "entries": lists.entries,
            "list_octets": lists.inside + lists.outside,
            "octets": octets + lists.outside,
        }


cdef str number_text(uint64_t number):
    """A number as a verdict shows it; an emergency number bare."""
    if number == EMERGENCY_911 or number == EMERGENCY_112:
        return EMERGENCY_NUMBERS[0 if number == EMERGENCY_911 else 1]
    return unpack_text(number)
