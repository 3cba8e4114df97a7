def pack(text: str, default_cc: str = "") -> int:
    """The number in 64 bits: 15 digits of 4 bits from the top, then the length. 0 for no number."""

def unpack(number: int) -> str:
    """The number as held, "+" and digits; "" for 0."""

def normalise(text: str, default_cc: str) -> str:
    """The number as held; without "+" the country code is prepended. "" where it is none."""

def normalise_entry(text: str, default_cc: str = "") -> str:
    """The list entry as held, x in lower case; "" where it is none."""

def mask(text: str, default_cc: str = "") -> tuple[int, int, int]:
    """Value, care-mask and count of given digits of an entry; ValueError where it is none."""

def matches(entry: str, number: str) -> bool:
    """Whether a number is what an entry stands for; False where either is none."""
