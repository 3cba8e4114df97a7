"""Named tuples, made in C.

It is what `tuple.__new__(kind, fields)` gives, without a call of Python's in between.
"""

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        object (*tp_alloc)(PyTypeObject *kind, Py_ssize_t size)
    void PyTuple_SET_ITEM(object made, Py_ssize_t at, object field)
    void Py_INCREF(object field)


# `kind` is a subclass of tuple that adds no attributes, such as a NamedTuple.
cdef inline object named(type kind, tuple fields):
    cdef Py_ssize_t at, size = len(fields)
    cdef object made = (<PyTypeObject *>kind).tp_alloc(<PyTypeObject *>kind, size)
    for at in range(size):
        field = fields[at]
        Py_INCREF(field)  # its place keeps it
        PyTuple_SET_ITEM(made, at, field)
    return made
