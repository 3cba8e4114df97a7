"""Caller identity (STIR/SHAKEN): tokens, certificates and verdicts.

Bytes and values go in, bytes and values come out; a clock's time is an argument. Sockets and files
stand in `fetching`, `keeping` and `keystore`, and in what these are made of, alone.
"""

from .model import Policy, Question, Signed, SignRequest, State, Verdict

__all__ = ["Policy", "Question", "SignRequest", "Signed", "State", "Verdict"]
