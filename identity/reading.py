"""The Identity values of a call, taken apart: tokens that have a form, and faults of those without.

Invariants
1. A value of a `ppt` that is not supported is counted and otherwise ignored.
2. A token that holds others is taken apart into them; there are VALUES_MOST in all at most.
3. What goes beside (`rph`, `rcd`) is kept apart from what says who calls: it cannot hurt the call.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from .claims import check_claims
from .header import VALUES_MOST, known_around, read_identity, split_identities
from .model import NOT_VALIDATED, Fault, IdentityHeader, Question
from .nesting import unfolded
from .straight import plain_header

__all__ = ["BESIDE", "CALLER", "Reading", "read"]

CALLER = frozenset({"", "shaken"})
BESIDE = frozenset({"rph", "rcd"})
SAID_BESIDE = re.compile(rb';[ \t]*ppt[ \t]*=[ \t]*"?(?:rph|rcd)"?[ \t]*(?:;|\Z)', re.IGNORECASE)

MAKE = tuple.__new__  # without looking at the names of a NamedTuple's fields

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
        plain = plain_header(question.identities[0], known_around)
        if plain is not None:
            return MAKE(Reading, ((plain,), (), (), (), (), 0, (plain.info,)))  # info is x5u
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
            tokens = unfolded(header)
            if sum(map(len, found)) + len(tokens) > VALUES_MOST:
                raise Fault("opt", 438, NOT_VALIDATED, f"more than {VALUES_MOST} tokens")
        except Fault as fault:
            token, semicolon, behind = value.partition(b";")
            beside = beside or SAID_BESIDE.search(semicolon + behind) is not None
            if fault.code == 428:
                ignored += 1
            else:
                faults[beside].append((token.strip(), fault))
        else:
            for each in tokens:
                found[0 if each.ppt in CALLER else 2 if beside else 1].append(each)
    x5us = tuple({header.x5u: None for some in found for header in some})
    callers, diversions, others = map(tuple, found)
    return Reading(callers, diversions, others, tuple(faults[0]), tuple(faults[1]), ignored, x5us)
