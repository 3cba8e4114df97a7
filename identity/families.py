"""The metrics of who calls, and how a reader takes them."""

from typing import Protocol

__all__ = ["FAMILIES", "FETCH_OUTCOMES", "Add"]

FETCH_OUTCOMES = ("good", "refused", "dead", "timeout", "bad", "limited")

# name, kind, help, labels
FAMILIES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        "callscreen_identity_verdicts_total",
        "counter",
        "Callers' identities verified, by state and code.",
        ("state", "code"),
    ),
    (
        "callscreen_identity_valid_hosts_total",
        "counter",
        "Valid identities, by the host of their certificate.",
        ("host",),
    ),
    (
        "callscreen_identity_signatures_total",
        "counter",
        "Calls signed, by certificate.",
        ("certificate",),
    ),
    (
        "callscreen_identity_unsigned_total",
        "counter",
        "Signatures asked for that could not be made.",
        (),
    ),
    (
        "callscreen_identity_fetches_total",
        "counter",
        "Fetches of certificates, by outcome.",
        ("outcome",),
    ),
    ("callscreen_identity_cached", "gauge", "Certificate URLs in memory.", ()),
    ("callscreen_identity_cached_bytes", "gauge", "Octets of the paths in memory.", ()),
    (
        "callscreen_identity_refresh_failing",
        "gauge",
        "Whether the last refresh of keys, trust or certificates failed.",
        ("part",),
    ),
    (
        "callscreen_identity_unpublished",
        "gauge",
        "Certificates that sign and are not served at their URL.",
        (),
    ),
    (
        "callscreen_identity_trust_failing",
        "gauge",
        "Sources of trust whose last reading failed.",
        (),
    ),
    (
        "callscreen_identity_trust_list_expiry_seconds",
        "gauge",
        "Until the trust list ends; negative: since.",
        (),
    ),
    ("callscreen_identity_crl_age_seconds", "gauge", "Since the CRL was made.", ()),
    (
        "callscreen_identity_crl_expiry_seconds",
        "gauge",
        "Until the CRL ends; negative: since.",
        (),
    ),
    (
        "callscreen_identity_certificate_expiry_seconds",
        "gauge",
        "Until a certificate that signs ends; negative: since.",
        ("certificate",),
    ),
)


class Add(Protocol):
    """Takes a value of a family; the labels are in the order of its declaration."""

    def __call__(self, name: str, value: float, *labels: str) -> None: ...
