"""Names of issuers, compared as RFC 5280 section 7.1 asks: by what they say, not how it is written.

Invariant: two names have one key exactly where they have the same parts in the same order; within a
part the order does not count, in a text neither its ASN.1 type, nor case, nor how much space.
"""

import unicodedata

from cryptography import x509

__all__ = ["NameKey", "name_key"]

NameKey = tuple[tuple[tuple[str, str], ...], ...]  # of each part: types (OID) and values
UNSEEN = frozenset({"Cc", "Cf"})  # categories of characters that a name is read without


def name_key(name: x509.Name) -> NameKey:
    """What a name says. ValueError and other errors of `cryptography` where it cannot be read."""
    return tuple(
        tuple(sorted((each.oid.dotted_string, _text(each.value)) for each in part))
        for part in name.rdns
    )


def _text(value: str | bytes) -> str:
    """A text prepared as RFC 4518 says, without its rare cases; of a bit string its octets."""
    if isinstance(value, bytes):
        return "#" + value.hex()
    folded = unicodedata.normalize("NFKC", value).casefold()
    words = unicodedata.normalize("NFKC", folded).split()  # at space of any kind
    kept = ("".join(c for c in word if unicodedata.category(c) not in UNSEEN) for word in words)
    return " ".join(word for word in kept if word)
