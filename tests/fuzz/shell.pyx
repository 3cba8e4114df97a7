"""A target whose inputs are tried in Python: CALLSCREEN_FUZZ_MODULE names the module.

1. The module's `attempt(octets)` holds the promises: AssertionError, or whatever else it raises, is
   a promise that was broken. What it calls is compiled with the sanitizers.
2. The test suite calls the same `attempt` with what was kept.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t

import os
import traceback
from importlib import import_module

cdef object attempt = None


cdef const char *attempt_input(const uint8_t *octets, size_t size) noexcept:
    try:
        attempt(PyBytes_FromStringAndSize(<const char *>octets, size))
    except BaseException:
        traceback.print_exc()
        return b"what was raised stands above"
    return NULL


def prepare():
    """Imports the module; gives the address of the function to call with an input."""
    global attempt
    attempt = import_module(os.environ["CALLSCREEN_FUZZ_MODULE"]).attempt
    return <size_t><void *>attempt_input
