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
AHEAD_LEAST: Final = 1_000  # objects below one that is removed: read before the transaction
AHEAD_TRIES: Final = 3  # readings, where what was read changes meanwhile
PURGE_OBJECTS: Final = 1_000  # archived objects after which a transaction purges no further batch
PURGE_BYTES: Final = 32 * 1024 * 1024  # their octets after which it purges no further one
ARCHIVE_BYTES: Final = 40 * 1024 * 1024  # of a batch that a restore publishes: less than a change
PURGE_SECONDS: Final = 60.0  # how often it is looked for what is too old for the archive
AUDIO_BYTES: Final = 16 * 1024 * 1024  # a file of samples
AUDIO_SECONDS: Final = 600.0  # how long it may last
AUDIO_FILES: Final = 1_000  # of a provider, those described and not uploaded included
AUDIO_FILES_BYTES: Final = 1024 * 1024 * 1024  # of a provider's files together
AUDIO_PIECE: Final = 1024 * 1024  # octets in one message of an upload
AUDIO_CHUNK: Final = 64 * 1024  # octets in one message of a download
UPLOADS: Final = 32  # files on their way in
UPLOADS_EACH: Final = 4  # those of one administrator
UPLOAD_SECONDS: Final = 300.0  # what one may take
UNNAMED_SECONDS: Final = 3600.0  # how long a file stays that no object names
COLLECT_SECONDS: Final = 600.0  # how often such files are looked for
PAGE_DEFAULT: Final = 10  # objects on a page when the request does not say
PAGE_MAX: Final = 1_000  # objects on a page at most
PAGE_BYTES: Final = 32 * 1024 * 1024  # objects on a page together; one larger object goes alone
PAGE_DEPTH: Final = 1_000_000  # where the last page of a sorted or searched answer may end
SCAN_CHUNK: Final = 500  # objects read in one read transaction of a long scan
COUNT_CHUNK: Final = 10_000  # index entries counted in one read transaction
TEXT_OCTETS: Final = 128  # of a text that stand in an index of columns; the rest is looked up
SCOPES_CACHED: Final = 10_000  # service providers whose places in the index are remembered
REINDEX_OBJECTS: Final = 1_000  # objects indexed in one transaction, where all are indexed anew
REINDEX_BYTES: Final = 4 * 1024 * 1024  # of such objects; a transaction ends after the one beyond
LIST_SECONDS: Final = 30.0  # what one list may take
LISTS_AT_ONCE: Final = 2  # lists being read side by side
LISTS_WAITING: Final = 256  # lists let in at a time
NAME_CHARS: Final = 8_192  # characters of a resource name or page token
CALL_CHARS: Final = 256  # characters of a called or calling number, or of a source address
RECORD_CHARS: Final = 250  # characters of a short field of a call record
EVENTS_CHARS: Final = 65_536  # characters of a call record's events
RECORD_BYTES: Final = 128 * 1024  # a call record
RECORDS_EXPIRED_SECONDS: Final = 3600.0  # how often it is looked for records that are too old
RECORD_GROUP: Final = 100  # appends of up to BATCH_OBJECTS records in one transaction
RECORD_REST: Final = 1.0  # pause after a group of records, as a share of what it took
RECORD_STEPS: Final = 64  # steps in a call record's trace

LIST_ENTRIES: Final = 20  # entries of a list that a row of the audit log shows; else their number

USERNAME_CHARS: Final = 64  # characters of a user name
PASSWORD_CHARS: Final = 1_024  # characters of a password
TOKEN_BYTES: Final = 32  # random bytes of a token
PEPPER_BYTES: Final = 32  # random bytes that key the hashes of PINs
TOKEN_CHARS: Final = 256  # characters of a token as presented
TOKEN_SECONDS: Final = 24 * 3600  # a token's life
SESSION_SECONDS: Final = 14 * 24 * 3600  # the life of a web session's token
ACTIVATION_SECONDS: Final = 48 * 3600  # the life of a token that sets a first password
RESET_SECONDS: Final = 30 * 60  # the life of a token that sets another password
TOKENS_EACH: Final = 64  # live tokens of one administrator and kind; the oldest gives way
TOKENS_CLEANED: Final = 1_000  # expired tokens removed in one transaction
TOKENS_CLEANED_SECONDS: Final = 3_600.0  # how often it is looked for them
TOKENS_CACHED: Final = 10_000  # checked tokens held in memory
TOKEN_CACHE_SECONDS: Final = 1  # how long a checked token is believed without a look-up
HASHES_AT_ONCE: Final = 2  # argon2 computations side by side (64 MiB each)
HASHES_WAITING: Final = 64  # logins that may wait for one; and new passwords, apart
LOGINS: Final = 10  # failures of a user name at an address before it is locked out there
LOGINS_ADDRESS: Final = 100  # failures of an address (IPv6: of its /64), whatever the user names
LOGINS_USER: Final = 100  # failures of a user name at addresses from which it never logged in
LOCK_SECONDS: Final = 60.0  # the first lock-out; each failure after it doubles it
LOCK_SECONDS_MAX: Final = 3_600.0  # the longest lock-out
LOCK_FORGET_SECONDS: Final = 900.0  # without attempts after a lock-out: failures are forgotten
LOGIN_NAMES: Final = 10_000  # of each of these, how many are counted at a time
HOMES_EACH: Final = 8  # addresses of a user name that are remembered for its log-ins there
HOMES_SECONDS: Final = 30 * 24 * 3600.0  # how long they are
LOGINS_KEPT_SECONDS: Final = 60.0  # how often all this is written to disk, where it changed
RESETS: Final = 5  # resets of a user name that nobody's token asks for, in RESETS_SECONDS
RESETS_ADDRESS: Final = 20  # such resets of an address
RESETS_SECONDS: Final = 3_600.0  # the time in which they are given back
REDEEMS: Final = 20  # tokens that an address may try in REDEEMS_SECONDS
REDEEMS_SECONDS: Final = 600.0  # the time in which they are given back
SIGNERS: Final = 10_000  # who asks for signatures: whose rates are counted at a time
SIGNATURES_EACH: Final = 200  # a second that one of them may ask for, where no option says it

MAILS_WAITING: Final = 1_000  # mails that may wait; and resets that strangers ask for, apart
MAILS_AT_ONCE: Final = 2  # mails on their way side by side
MAIL_SECONDS: Final = 20.0  # what connecting, TLS, log-in and leave-taking may take, each
MAIL_TAKING_SECONDS: Final = 600.0  # what a server may take over a mail: with less it comes twice
MAIL_PAUSE_SECONDS: Final = 5.0  # before the second attempt; each pause after it is twice as long
MAIL_PAUSE_SECONDS_MAX: Final = 640.0  # the longest
MAIL_LOOK_SECONDS: Final = 1.0  # how often it is looked for mail that waits
MAIL_KEY_BYTES: Final = 32  # random bytes that key the tokens that are mailed

RPCS_AT_ONCE: Final = 4_096  # calls in progress
KEEPALIVE_MS: Final = 30_000  # milliseconds between pings on an idle connection
KEEPALIVE_TIMEOUT_MS: Final = 10_000  # milliseconds to wait for a ping's answer
PING_INTERVAL_MS: Final = 5_000  # milliseconds that a client must leave between pings
STREAMS_EACH: Final = 64  # streams that one administrator may have open
SMALL_BYTES: Final = 256 * 1024  # a request of a method that carries no objects, records or calls
SWITCH_SECONDS: Final = 0.0005  # how long a thread may compute while the event loop has work
READER_SECONDS: Final = 5.0  # a read transaction that is open longer is warned of
READER_CHECK_SECONDS: Final = 5.0  # how often that is looked at
BACKUP_PIECE_BYTES: Final = 1024 * 1024  # a piece of a backup as it is read and sent
FATAL_SECONDS: Final = 0.25  # how often it is looked whether a store must be opened anew
STOP_SECONDS: Final = 1.0  # what calls in progress are given at a stop

__all__ = [name for name in dir() if name.isupper()]
