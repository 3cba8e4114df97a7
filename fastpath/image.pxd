# An image of the index in a file of blocks (blocks.pxd): numbers, subscribers and providers' lists as
# words of 8 octets, all else as the published objects that it came from.
#
#   HEAD         octets of the caller's
#   COUNTS       numbers of PCS and of CIN, subscribers; the highest positions of providers and
#                subscribers
#   PROVIDER     position | product << 32, size of the name | lists follow << 32, name, lists
#   SUBSCRIBER   position | provider << 32, product | disabled << 8 | override << 16 | size of the
#                name << 32, size of the voice mail | lists follow << 32, name, voice mail, lists
#   NUMBER       number, subscriber | product << 32 | lists follow << 40, lists
#   OBJECT       octets of one
#   END          blocks before it, the revision at which all of it is whole
#   lists        numbers of the first | of the second << 32, masks likewise, the numbers, the masks
#   octets       their count, then they; texts and octets fill whole words
from libc.stdint cimport uint64_t

cdef enum Kind:
    HEAD = 1, COUNTS, PROVIDER, SUBSCRIBER, NUMBER, OBJECT, END

cdef enum:
    COUNT_WORDS = 5


cdef inline uint64_t words_for(uint64_t octets) noexcept nogil:
    return (octets + 7) // 8
