"""What a stranger says of how a caller was verified: it does not go on.

1. It is left out whatever its spelling (3GPP TS 24.229 5.10, 7.2A.20): each verstat parameter of From,
   P-Asserted-Identity and P-Preferred-Identity, of the URI or of the field, in any case, with
   escapes and white space, with all up to the next one; Attestation-Info, Origination-Id and
   P-Identity-Bypass as a whole.
2. A display name in quotes stays as it is, and so does every other octet.
"""

from libc.stdint cimport uint32_t

from callscreen.fastpath.edits cimport Edit
from callscreen.fastpath.forwarder cimport Message


# Leaves out what a stranger says of verification, and an identity that ours replaces.
cdef uint32_t claims(const Message *message, Edit *edits, uint32_t count) noexcept nogil
