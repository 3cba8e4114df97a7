"""URLs that a stranger's token or certificate may name."""

import re

__all__ = ["URL_MOST", "is_certificate_url"]

URL_MOST = 2_048  # characters

# https alone, port 443 or 8443, no user, query or fragment (ATIS-1000074).
URL = re.compile(
    r"https://(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\])(?::(?:443|8443))?"
    r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
)


def is_certificate_url(url: str) -> bool:
    """Whether it is an https URL as verifiers take them, of at most URL_MOST characters."""
    return len(url) <= URL_MOST and URL.fullmatch(url) is not None
