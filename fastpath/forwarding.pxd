"""Sending on, as Python holds it: what a worker has, and what its workers share."""

from callscreen.fastpath.forwarder cimport Forwarder, NamedHops, Onwards


cdef class OnwardTable:
    cdef Onwards onwards


cdef class NameTable:
    cdef NamedHops hops


cdef class Forwarding:
    cdef Forwarder forwarder
    cdef OnwardTable onwards
    cdef NameTable names
