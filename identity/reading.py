"""The Identity values of a call, taken apart: tokens that have a form, and faults of those without.

Invariants
1. A value of a `ppt` that is not supported is counted and otherwise ignored.
2. What goes beside (`rph`, `rcd`) is kept apart from what says who calls: it cannot hurt the call.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from .claims import check_claims
from .header import read_identity, read_plain, split_identities
from .model import Fault, IdentityHeader, Question

__all__ = ["BESIDE", "CALLER", "Reading", "read"]

CALLER = frozenset({"", "shaken"})
BESIDE = frozenset({"rph", "rcd"})
SAID_BESIDE = re.compile(rb';[ \t]*ppt[ \t]*=[ \t]*"?(?:rph|rcd)"?[ \t]*(?:;|\Z)', re.IGNORECASE)

Faulty = tuple[bytes, Fault]  # a token, and what is wrong with it


class Reading(NamedTuple):
    """What came; `x5us` are the URLs of certificates wanted."""

    callers: tuple[IdentityHeader, ...] = ()
    diversions: tuple[IdentityHeader, ...] = ()
    beside: tuple[IdentityHeader, ...] = ()
    faults: tuple[Faulty, ...] = ()
    faults_beside: tuple[Faulty, ...] = ()
    ignored: int = 0
    x5us: tuple[str, ...] = ()


def read(question: Question) -> Reading:
    """Takes the Identity values of a call apart."""
    if len(question.identities) == 1:  # most calls by far have one, and a plain one
        plain = read_plain(question.identities[0])
        if plain is not None:
            return Reading((plain,), (), (), (), (), 0, (plain.info,))  # info is x5u
    return read_any(question.identities)


def read_any(identities: Sequence[bytes]) -> Reading:
    """As `read`, of values of any form."""
    found: tuple[list[IdentityHeader], ...] = ([], [], [])
    faults: tuple[list[Faulty], ...] = ([], [])
    ignored = 0
    try:
        values = split_identities(identities)
    except Fault as fault:
        return Reading(faults=((b"", fault),))
    for value in values:
        beside = False
        try:
            header = read_identity(value)
            beside = header.ppt in BESIDE
            check_claims(header)
        except Fault as fault:
            token, semicolon, behind = value.partition(b";")
            beside = beside or SAID_BESIDE.search(semicolon + behind) is not None
            if fault.code == 428:
                ignored += 1
            else:
                faults[beside].append((token.strip(), fault))
        else:
            found[0 if header.ppt in CALLER else 2 if beside else 1].append(header)
    x5us = tuple({header.x5u: None for some in found for header in some})
    callers, diversions, others = map(tuple, found)
    return Reading(callers, diversions, others, tuple(faults[0]), tuple(faults[1]), ignored, x5us)
