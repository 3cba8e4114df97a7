"""r and s of a signature, as 64 octets and as DER: the library says the same."""

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.identity.signatures import der_signature, raw_signature

COORDINATES = st.one_of(
    st.integers(0, (1 << 256) - 1), st.integers(0, 255).map(lambda bits: 1 << bits), st.just(0)
)


@given(COORDINATES, COORDINATES)
def test_signatures_are_turned_into_der_and_back(r: int, s: int) -> None:
    raw, der = (r << 256 | s).to_bytes(64, "big"), encode_dss_signature(r, s)
    assert der_signature(raw) == der
    assert raw_signature(der) == raw


@given(st.binary(max_size=80), st.integers(0, 71), st.binary(max_size=2))
@settings(max_examples=300)
def test_what_is_read_of_der_is_what_the_library_reads(
    octets: bytes, at: int, other: bytes
) -> None:
    der = encode_dss_signature(1 << 255, 0x7F << 247)
    for each in (octets, der[:at] + other + der[at + len(other) :], der[:at] + other + der[at:]):
        try:
            raw = raw_signature(each)
        except ValueError:
            continue
        r, s = decode_dss_signature(each)
        assert (r << 256 | s).to_bytes(64, "big") == raw


@pytest.mark.parametrize("size", [0, 1, 63, 65, 128])
def test_a_signature_has_64_octets(size: int) -> None:
    with pytest.raises(ValueError, match="64 octets"):
        der_signature(bytes(size))
