"""How the index changes: a transaction is prepared aside, switched to at once, then settled.

Invariants:
1. What prepares a transaction changes nothing that a reader reaches: rows and blocks that nothing
   names yet, and tables that are filled aside.
2. The switch holds the lock of Python's readers, and makes the sequence number odd for the others;
   in it run the lists of Python and then C alone.
3. What a transaction replaces is freed when no reader is left that began before its end: at a later
   commit, or by `tidy`.
4. One transaction is prepared at a time, under `writing`.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memset

from callscreen.fastpath.epochs cimport (
    enter_reader, leave_reader, reserve_limbo, tidy_limbo,
)
from callscreen.fastpath.switching cimport approach, forget, settle, switch_over
from callscreen.fastpath.tables cimport (
    NumberTable, close_tables, grow_numbers, open_tables, use_numbers,
)

cdef enum:
    GIVEN = 6      # most that a change gives up
    LEAST = 16     # changes there is room for
    KEPT = 65536   # changes of which the room is kept for the next transaction


cdef class Transaction:
    def __cinit__(self):
        self.pending = []
        open_tables(&self.data)

    def __dealloc__(self):
        free(self.changes)
        if self.data.arena.words != NULL:
            close_tables(&self.data)

    @property
    def revision(self):
        return self.data.revision

    @revision.setter
    def revision(self, uint64_t revision):
        self.data.revision = revision

    cdef Reader* add_reader(self) except NULL:
        with self.writing:
            return enter_reader(&self.data.limbo)

    cdef int remove_reader(self, Reader* reader) except -1:
        with self.writing:
            leave_reader(&self.data.limbo, reader)
            tidy_limbo(&self.data.limbo, &self.data)
        return 0

    def tidy(self):
        with self.writing:
            return tidy_limbo(&self.data.limbo, &self.data)

    cdef Change* change(self, Kind kind) except NULL:
        """Another change of the transaction, zeroed; good until the next one."""
        cdef Change* grown
        cdef size_t room = max(self.change_room * 2, <size_t>LEAST)
        if self.change_count == self.change_room:
            grown = <Change*>realloc(self.changes, room * sizeof(Change))
            if grown == NULL:
                raise MemoryError
            self.changes = grown
            self.change_room = room
        grown = &self.changes[self.change_count]
        memset(grown, 0, sizeof(Change))
        grown.kind = kind
        self.change_count += 1
        return grown

    cdef int room_for_number(self, int product) except -1:
        """Grows the table where it would be too full: the larger one holds the same, and is put
        in force at once."""
        cdef NumberTable* table = self.data.numbers[product]
        cdef NumberTable* grown
        self.coming[product] += 1
        if 4 * (table.count + self.coming[product]) > 3 * (table.last + 1):
            reserve_limbo(&self.data.limbo, 1)
            grow_numbers(&self.data, product, table.count + self.coming[product], &grown)
            if grown != NULL:
                with self.lock:
                    use_numbers(&self.data, product, grown)
        return 0

    cdef int ready(self) except -1:
        """The last that may fail: room for what the switch will replace."""
        return reserve_limbo(&self.data.limbo, GIVEN * (self.change_count + 1))

    cdef int finish(self, uint64_t revision) except -1:
        """Switches to what was prepared, and settles it; `ready` came before."""
        cdef size_t i
        with nogil:
            approach(&self.data, self.changes, self.change_count)
        with self.lock:
            for where, place, value in self.pending:
                where[place] = value
            switch_over(&self.data, self.changes, self.change_count, revision)
        self.pending.clear()
        settle(&self.data, self.changes, self.change_count)
        for i in range(self.change_count):
            if self.changes[i].owners[0]:
                self.release_unused(self.changes[i].owners[0])
        return self.clear()

    cdef int abandon(self) except -1:
        """Frees what was prepared, in the place of `finish`."""
        cdef size_t i
        self.pending.clear()
        try:
            self.ready()
            forget(&self.data, self.changes, self.change_count)
            for i in range(self.change_count):
                if self.changes[i].owners[0]:
                    self.release_unused(self.changes[i].owners[0])
        finally:  # without room in limbo it is lost, but in force it must not come
            self.clear()
        return 0

    cdef int clear(self) except -1:
        self.change_count = 0
        memset(self.coming, 0, sizeof(self.coming))
        if self.change_room > KEPT:
            free(self.changes)
            self.changes = NULL
            self.change_room = 0
        return 0

    cdef int release_unused(self, uint32_t provider) except -1:
        """Gives a provider's row up where nothing is said in it and nothing names it."""
        return 0
