"""Extensions of STIR certificates in DER, also such as no CA should write."""

from collections.abc import Mapping, Sequence

from .lists import der

__all__ = ["Number", "constraints_der", "enhanced_der", "ia5", "tn_authority_der"]

Number = str | tuple[str, int]  # one number, or the first of a range and how many


def ia5(text: str) -> bytes:
    return der(0x16, text.encode("ascii"))


def tn_authority_der(spc: Sequence[str] = (), numbers: Sequence[Number] = ()) -> bytes:
    """A TNAuthList (RFC 8226 section 9)."""
    entries = [der(0xA0, ia5(code)) for code in spc]
    for number in numbers:
        if isinstance(number, str):
            entries.append(der(0xA2, ia5(number)))
        else:
            count = number[1].to_bytes(number[1].bit_length() // 8 + 1, "big")
            entries.append(der(0xA1, der(0x30, ia5(number[0]), der(0x02, count))))
    return der(0x30, *entries)


def constraints_der(
    include: Sequence[str] | None = None, permitted: Mapping[str, Sequence[str]] | None = None
) -> bytes:
    """A JWTClaimConstraints (RFC 8226 section 8)."""
    return enhanced_der(include, permitted, None)


def enhanced_der(
    include: Sequence[str] | None = None,
    permitted: Mapping[str, Sequence[str]] | None = None,
    exclude: Sequence[str] | None = None,
) -> bytes:
    """An EnhancedJWTClaimConstraints (RFC 9118 section 4)."""
    parts = []
    if include is not None:
        parts.append(der(0xA0, der(0x30, *map(ia5, include))))
    if permitted is not None:
        claims = [
            der(0x30, ia5(name), der(0x30, *(der(0x0C, each.encode()) for each in values)))
            for name, values in permitted.items()
        ]
        parts.append(der(0xA1, der(0x30, *claims)))
    if exclude is not None:
        parts.append(der(0xA2, der(0x30, *map(ia5, exclude))))
    return der(0x30, *parts)
