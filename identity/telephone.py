"""Telephone numbers as a PASSporT has them: digits without a plus (RFC 8224 section 8.3).

Invariants
1. The result is made of 0-9, `#` and `*` alone, or is empty where the text is no number.
2. A number with a plus, and one that has been through here, stays what it is.
"""

import re
from urllib.parse import unquote

__all__ = ["DIGITS_MOST", "addr_spec", "canonical_number", "is_e164"]

DIGITS_MOST = 32  # of a number that is none of E.164, such as one with a routing prefix
SHORT_MOST = 6  # digits: 911, 112, N11 and other short codes are no national numbers
ADDRESS_MOST = 512  # characters of an address that is looked at

SCHEME = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
SEPARATORS = str.maketrans("", "", "-.() \t")
NUMBER = re.compile(r"(\+?)([0-9#*]{1,32})", re.ASCII)
CONTEXT = re.compile(r";phone-context=\+([0-9.() -]+)(?:;|\Z)", re.ASCII | re.IGNORECASE)
NAME_ADDR = re.compile(r'\s*(?:"(?:[^"\\]|\\.)*+"\s*|[^"<>]*+)<([^<>]*)>', re.DOTALL)
E164 = re.compile(r"[1-9][0-9]{6,14}", re.ASCII)

# Digits of a national number, by country code, where it is dialled without a prefix.
PLAIN = {
    "1": (10,),
    "30": (10,),
    "34": (9,),
    "45": (8,),
    "47": (8,),
    "48": (9,),
    "52": (10,),
    "65": (8,),
    "351": (9,),
    "352": (6, 7, 8, 9),
    "356": (8,),
    "357": (8,),
    "371": (8,),
    "372": (7, 8),
    "420": (9,),
    "502": (8,),
    "503": (8,),
    "504": (8,),
    "505": (8,),
    "506": (8,),
    "507": (7, 8),
    "852": (8,),
    "853": (8,),
    "965": (8,),
    "968": (8,),
    "974": (8,),
}
KEEPS_ZERO = ("39", "378")  # the zero is part of the number
TRUNK = {"7": "8", "36": "06"}  # the national prefix, where it is not 0
ABROAD = {"1": "011", "7": "810", "61": "0011", "65": "000", "81": "010"}  # where it is not 00


def canonical_number(text: str, default_cc: str = "") -> str:
    """Digits of a number, of a user part or of a sip, sips or tel URI; empty where it is none.

    A national number becomes one of E.164 by its own context (RFC 3966 section 5.1.5), else by the
    country code `default_cc` (digits; empty: it stays), a short one never does. Other parameters of
    the user part (tgrp, rn, npdi, verstat) are cut.
    """
    digits = text[1:]
    if text[:1] == "+" and digits.isdecimal() and len(digits) <= DIGITS_MOST and digits.isascii():
        return digits  # most by far; the rest comes to the same
    if len(text) > ADDRESS_MOST:
        return ""
    text = addr_spec(text).strip()
    scheme = SCHEME.match(text)
    if scheme:
        text = text[scheme.end() :]
    text, semicolon, behind = text.partition("@")[0].partition(";")
    context = CONTEXT.search(semicolon + behind) if behind else None
    if "%" in text:
        text = unquote(text)
    found = NUMBER.fullmatch(text.translate(SEPARATORS))
    if not found:
        return ""
    digits = found[2]
    if found[1]:
        return digits
    if context and len(digits) > SHORT_MOST and digits.isdecimal():
        digits = context[1].translate(SEPARATORS) + digits
        return digits if len(digits) <= DIGITS_MOST else ""
    return international(digits, default_cc)


def addr_spec(text: str) -> str:
    """What stands in angle brackets, behind a name that may have others in quotes; without any the
    text itself."""
    if "<" not in text:
        return text
    found = NAME_ADDR.match(text)
    return found[1] if found else ""


def international(digits: str, code: str) -> str:
    """A number as it is dialled in the country of a code, as one of E.164."""
    if not code or len(digits) <= SHORT_MOST or not digits.isdecimal():
        return digits
    abroad = ABROAD.get(code, "00")
    if digits.startswith(abroad) and is_e164(digits[len(abroad) :]):
        return digits[len(abroad) :]
    if code in PLAIN:
        return code + digits if is_plain(digits, code) else digits
    if code in KEEPS_ZERO:
        return code + digits if digits[0] == "0" else digits
    trunk = TRUNK.get(code, "0")
    if digits.startswith(trunk) and is_e164(code + digits[len(trunk) :]):
        return code + digits[len(trunk) :]
    return digits


def is_plain(digits: str, code: str) -> bool:
    """Whether digits are a national number of a country whose numbers have no prefix."""
    # Area codes of North America begin with 2 to 9 (NANP), national numbers nowhere with the zero.
    return len(digits) in PLAIN[code] and digits[0] not in ("01" if code == "1" else "0")


def is_e164(digits: str) -> bool:
    """Whether digits are a number of E.164: 7 to 15 of them, the country code first."""
    return E164.fullmatch(digits) is not None
