"""The screening index: one writer, flat tables, no Python object on the way of a decision.

reference.py is its plain twin and states the meaning; the same tests run on both.

Invariants:
1. What Python reads it reads under the lock, and a `commit` switches over under it, so each sees
   the other whole. Threads without the GIL read as readers.pxd says, and never wait for the lock.
2. A `commit` that is refused for what it says has changed nothing. Only one that ends for want of
   memory or for arguments of a wrong type may leave a part: build the index anew.
3. A put or drop on its own is a commit of one operation.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from callscreen.fastpath.arena cimport get_text
from callscreen.fastpath.decide cimport (
    CALLED_INPUT, CALLER_UNKNOWN, CALLER_UNSIGNED, CALLING_INPUT, EMERGENCY_112,
    EMERGENCY_911, SOURCE_INPUT, SUBSCRIBER_INPUT, TEXT_INPUT, Call, Decision, Trace, decide,
)
from callscreen.fastpath.numbers cimport entry_text, pack_text, unpack_text
from callscreen.fastpath.plan cimport EMERGENCY, SERVICE_SELECTION
from callscreen.fastpath.prefixes cimport parse_address
from callscreen.fastpath.tables cimport (
    Data, NumberSlot, SubscriberRow, SubscriberTable, find_number,
)

from . import plain
from .model import (
    EMERGENCY_NUMBERS, PRODUCT_NAMES, TREATMENTS, EngineSettings, Operation, Origination, PlanStep,
    SourceNumbers, Step, StirRule, StirSettings, Verdict, check,
)
from .plan import OUTCOME_WORDS, RULE_WORDS, SCOPE_WORDS

__all__ = [
    "EngineSettings", "Index", "Operation", "Origination", "PlanStep", "SourceNumbers", "Step",
    "StirRule", "StirSettings", "Verdict",
]

cdef object new = tuple.__new__  # of a named tuple, without its slower constructor
cdef tuple RULE = RULE_WORDS, SCOPE = SCOPE_WORDS, OUTCOME = OUTCOME_WORDS
cdef tuple TREATMENT = TREATMENTS, PRODUCT = PRODUCT_NAMES


cdef class Index(Routing):
    def commit(self, operations, uint64_t revision):
        cdef list changes = list(operations)  # whatever makes them runs before a lock is taken
        cdef str method
        cdef tuple arguments
        for method, arguments in changes:
            check(method, arguments)
        with self.writing:
            try:
                for method, arguments in changes:
                    self.prepare(method, arguments)
                if self.criteria_changed:
                    self.build_criteria()
                if self.sources_changed:
                    self.build_sources()
                self.ready()
            except BaseException:
                self.abandon()
                raise
            self.finish(revision)

    cdef int alone(self, str method, tuple arguments) except -1:
        self.commit([(method, arguments)], self.data.revision)
        return 0

    cdef int prepare(self, str method, tuple arguments) except -1:
        if method == "put_number":
            product, provider, subscriber, number, first, second = arguments
            return self.set_number(product, provider, subscriber, number, first, second)
        if method == "put_numbers":
            return self.set_numbers(arguments[0])
        if method == "drop_number":
            return self.unset_number(
                arguments[0], arguments[1], arguments[2] if len(arguments) > 2 else None)
        if method == "put_subscriber":
            product, provider, name, enabled, override, first, second, voicemail = arguments
            return self.set_subscriber(
                product, provider, name, enabled, override, first, second, voicemail)
        if method == "put_provider":
            product, name, first, second = arguments
            return self.set_provider(product, name, first, second)
        if method == "put_plan":
            name, steps, error = arguments
            return self.set_plan(name, steps, error)
        if method == "put_settings":
            product, provider, settings = arguments
            return self.set_settings(product, provider, settings)
        if method == "put_number_sources":
            product, called, calling = arguments
            return self.set_number_sources(product, called, calling)
        if method == "put_stir_settings":
            return self.set_stir_settings(arguments[0])
        if method == "put_criteria":
            provider, group, prefixes, codes, points = arguments
            return self.set_criteria(provider, group, prefixes, codes, points)
        if method == "put_source":
            provider, name, prefixes, orig_id, attest, cert_name, numbers = arguments
            return self.set_source(
                provider, name, prefixes, orig_id, attest, cert_name, numbers)
        if method == "drop_subscriber":
            return self.unset_subscriber(arguments[0], arguments[1], arguments[2])
        if method == "drop_provider":
            return self.unset_provider(arguments[0], arguments[1])
        if method == "drop_plan":
            return self.unset_plan(arguments[0])
        if method == "drop_settings":
            return self.unset_settings(arguments[0], arguments[1])
        if method == "drop_criteria":
            return self.unset_criteria(arguments[0], arguments[1])
        if method == "drop_source":
            return self.unset_source(arguments[0], arguments[1])
        raise ValueError(f"no change of an index: {method!r}")

    def put_provider(self, product, name, whitelist, blacklist):
        self.alone("put_provider", (product, name, whitelist, blacklist))

    def drop_provider(self, product, name):
        self.alone("drop_provider", (product, name))

    def put_plan(self, name, steps, error_treatment):
        self.alone("put_plan", (name, steps, error_treatment))

    def drop_plan(self, name):
        self.alone("drop_plan", (name,))

    def put_subscriber(
        self, product, provider, name, enabled, override, whitelist, blacklist, voicemail
    ):
        self.alone("put_subscriber", (
            product, provider, name, enabled, override, whitelist, blacklist, voicemail))

    def drop_subscriber(self, product, provider, name):
        self.alone("drop_subscriber", (product, provider, name))

    def put_number(self, product, provider, subscriber, number, whitelist, blacklist):
        self.alone("put_number", (product, provider, subscriber, number, whitelist, blacklist))

    def drop_number(self, product, number, owner=None):
        self.alone("drop_number", (product, number, owner))

    def put_criteria(self, provider, group, prefixes, country_codes, point_codes):
        self.alone("put_criteria", (provider, group, prefixes, country_codes, point_codes))

    def drop_criteria(self, provider, group):
        self.alone("drop_criteria", (provider, group))

    def put_source(self, provider, name, prefixes, orig_id, attest, cert_name, numbers):
        self.alone("put_source", (provider, name, prefixes, orig_id, attest, cert_name, numbers))

    def drop_source(self, provider, name):
        self.alone("drop_source", (provider, name))

    def put_settings(self, product, provider, settings):
        self.alone("put_settings", (product, provider, settings))

    def drop_settings(self, product, provider):
        self.alone("drop_settings", (product, provider))

    def put_stir_settings(self, settings):
        self.alone("put_stir_settings", (settings,))

    def put_number_sources(self, product, called, calling):
        self.alone("put_number_sources", (product, called, calling))

    cdef uint64_t number_of(self, str text, int product) except? 0:
        """A number, an emergency number bare."""
        cdef uint64_t number = pack_text(text, self.default_ccs[product])
        if number == 0:
            return 0
        if number == self.data.readings[product].emergency[0]:
            return EMERGENCY_911
        return EMERGENCY_112 if number == self.data.readings[product].emergency[1] else number

    cdef int fill_call(self, Call* call, int product, str called, str calling, bint anonymous,
                       str source_ip, str point_code, int identity) except -1:
        cdef int each
        if not 0 <= product <= 2:
            raise ValueError(f"a product is 0 (both), 1 (PCS) or 2 (CIN), not {product}")
        if not 0 <= identity <= <int>CALLER_UNKNOWN:
            raise ValueError(f"what is known of an identity is 0 to 4, not {identity}")
        memset(call, 0, sizeof(Call))
        call.verdict = identity
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
               str point_code="", int identity=<int>CALLER_UNSIGNED):
        cdef Call call
        cdef Decision decision
        with self.lock:
            self.fill_call(
                &call, product, called, calling, anonymous, source_ip, point_code, identity)
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
                entry = self.criteria_names[0][decision.criteria]
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
            self.data.revision,
            self.provider_names[decision.provider],
            bool(decision.awaits),
        ))

    cdef str subscriber_of(self, uint64_t number, int product):
        cdef NumberSlot* slot = find_number(self.data.numbers[product], number)
        return get_text(&self.data.arena, self.data.subscribers.rows[slot.subscriber].name)

    def counts(self):
        with self.lock:
            return self.count()

    def memory(self):
        cdef const Data* data = &self.data
        cdef const SubscriberTable* rows = &data.subscribers
        return {
            "numbers": sum([
                (data.numbers[i].last + 1) * sizeof(NumberSlot) for i in range(3)]),
            "subscribers": rows.area.opened + 4 * <uint64_t>(rows.last + 1),
            "lists_and_names": data.arena.area.opened,
            "long_lists": data.arena.outside,
            "providers": data.provider_area.opened + data.settings_area.opened,
        }

    cdef dict count(self):
        cdef const Data* data = &self.data
        cdef uint64_t numbers = 0, subscribers
        cdef int product
        for product in range(1, 3):
            numbers += (data.numbers[product].last + 1) * sizeof(NumberSlot)
        subscribers = data.subscribers.top * sizeof(SubscriberRow)
        if data.subscribers.directory != NULL:
            subscribers += 4 * <uint64_t>(data.subscribers.last + 1)
        return {
            "numbers": data.numbers[1].count + data.numbers[2].count,
            "subscribers": data.subscribers.count,
            "entries": data.held.entries,
            "list_octets": data.held.inside + data.held.outside,
            "number_octets": numbers,
            "subscriber_octets": subscribers,
            "block_octets": 8 * <uint64_t>data.arena.top,
            "used_octets": 8 * data.arena.live,
            "octets": numbers + subscribers + 8 * <uint64_t>data.arena.top + data.held.outside,
            "given_up": data.limbo.end - data.limbo.first,
        }


cdef str number_text(uint64_t number):
    """A number as a verdict shows it; an emergency number bare."""
    if number == EMERGENCY_911 or number == EMERGENCY_112:
        return EMERGENCY_NUMBERS[0 if number == EMERGENCY_911 else 1]
    return unpack_text(number)
