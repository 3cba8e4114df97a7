# How soon the kernel lets a thread in that shares its core with others.
from libc.stdint cimport uint64_t

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    /* This thread's slice, in ns: with a short one it waits less for a thread that has begun. Its
       share of the core stays as it was. Linux before 6.12 has one slice for all, and a policy that
       somebody chose is left alone. Whether it has it. */
    static int callscreen_slice(uint64_t nanoseconds) {
        struct {
            uint32_t size, policy;
            uint64_t flags;
            int32_t nice;
            uint32_t priority;
            uint64_t runtime, deadline, period;
        } told;
        memset(&told, 0, sizeof(told));
        if (syscall(SYS_sched_getattr, 0, &told, sizeof(told), 0) != 0 || told.policy != 0) return 0;
        told.size = sizeof(told);
        told.runtime = nanoseconds;
        return syscall(SYS_sched_setattr, 0, &told, 0) == 0;
    }
    """
    bint callscreen_slice(uint64_t nanoseconds) noexcept nogil
