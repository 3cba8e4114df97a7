"""Every limit of the core, with its unit, in one place.

Invariants:
1. A number that bounds something in core stands here, not where it is used.
"""

from typing import Final

MESSAGE_BYTES: Final = (
    64 * 1024 * 1024
)  # a gRPC message: a provider may hold 1,000,000 list entries
CHANGE_BYTES: Final = 48 * 1024 * 1024  # one published batch: fits a message with room to spare
CHUNK_BYTES: Final = 1024 * 1024  # objects in one chunk of a snapshot; one larger object goes alone
BATCH_OBJECTS: Final = 1_000  # objects or records in one bulk request
BATCH_CALLS: Final = 1_000  # calls in one ScreenBatches request
CALLS_AT_A_STRETCH: Final = 50  # calls or records of a batch before other callers have their turn
BATCHES_AHEAD: Final = 8  # bulk requests of one stream that are at work at once
BATCH_ERRORS: Final = 100  # refused objects told of in one bulk answer
DESCENDANTS: Final = 200_000  # objects removed or renamed by one request
PAGE_DEFAULT: Final = 10  # objects on a page when the request does not say
PAGE_MAX: Final = 1_000  # objects on a page at most
PAGE_BYTES: Final = 32 * 1024 * 1024  # objects on a page together; one larger object goes alone
PAGE_DEPTH: Final = 1_000_000  # where the last page of a sorted or searched answer may end
SCAN_CHUNK: Final = 500  # objects read in one read transaction of a long scan
LIST_SECONDS: Final = 30.0  # what one list may take
LISTS_AT_ONCE: Final = 2  # lists being read side by side
LISTS_WAITING: Final = 256  # lists let in at a time
NAME_CHARS: Final = 8_192  # characters of a resource name or page token
CALL_CHARS: Final = 256  # characters of a called or calling number, or of a source address
RECORD_CHARS: Final = 250  # characters of a short field of a call record
EVENTS_CHARS: Final = 65_536  # characters of a call record's events
RECORD_BYTES: Final = 128 * 1024  # a call record
RECORD_GROUP: Final = 100  # appends of up to BATCH_OBJECTS records in one transaction
RECORD_STEPS: Final = 64  # steps in a call record's trace

USERNAME_CHARS: Final = 64  # characters of a user name
PASSWORD_CHARS: Final = 1_024  # characters of a password
TOKEN_BYTES: Final = 32  # random bytes of a token
PEPPER_BYTES: Final = 32  # random bytes that key the hashes of PINs
TOKEN_CHARS: Final = 256  # characters of a token as presented
TOKEN_SECONDS: Final = 24 * 3600  # a token's life
TOKENS_EACH: Final = 64  # live tokens of one administrator; the oldest gives way
TOKENS_CACHED: Final = 10_000  # checked tokens held in memory
TOKEN_CACHE_SECONDS: Final = 5  # how long a checked token is believed without a look-up
HASHES_AT_ONCE: Final = 2  # argon2 computations side by side (64 MiB each)
HASHES_WAITING: Final = 64  # logins that may wait for one; and new passwords, apart
LOGINS: Final = 10  # attempts of one user name in LOGIN_SECONDS
LOGIN_SECONDS: Final = 60  # the time in which LOGINS are given back
LOGIN_NAMES: Final = 10_000  # user names whose attempts are counted at a time

RPCS_AT_ONCE: Final = 4_096  # calls in progress
KEEPALIVE_MS: Final = 30_000  # milliseconds between pings on an idle connection
KEEPALIVE_TIMEOUT_MS: Final = 10_000  # milliseconds to wait for a ping's answer
PING_INTERVAL_MS: Final = 5_000  # milliseconds that a client must leave between pings
STREAMS_EACH: Final = 64  # streams that one administrator may have open
SMALL_BYTES: Final = 256 * 1024  # a request of a method that carries no objects, records or calls
SWITCH_SECONDS: Final = 0.0005  # how long a thread may compute while the event loop has work
READER_SECONDS: Final = 5.0  # a read transaction that is open longer is warned of
READER_CHECK_SECONDS: Final = 5.0  # how often that is looked at
STOP_SECONDS: Final = 1.0  # what calls in progress are given at a stop

__all__ = [name for name in dir() if name.isupper()]
