"""Answers of a stateless user agent server (RFC 3261 8.2.6, 8.2.7, 18.2; RFC 3581) for Python.

1. It promises what answer_reference.py promises; one suite holds them together.
2. An answer is written once, on the stack; only a very long one is written a second time.
"""

from cpython.bytes cimport (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from libc.stdint cimport uint64_t
from libc.string cimport memcpy

from callscreen.fastpath.answer_peer cimport Peer, read_peer
from callscreen.fastpath.answer_write cimport (
    TAG_SIZE, Out, answer_port, clean, into, put, put_end, put_head, write_tag,
)
from callscreen.fastpath.sip cimport Message, with_offsets
from callscreen.fastpath.sip_text cimport Octets

from .answer_types import plain_address, tag_key

__all__ = ["destination", "response", "to_tag"]

cdef enum:
    USUAL_OCTETS = 4096  # of an answer


cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL


cdef bytes clean_octets(bytes text):
    if not clean(<Octets>PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text)):
        raise ValueError("a control octet in an answer")
    return text


cdef int put_all(
    Out *out, Message parsed, int status, str reason, object headers, bytes tag, const Peer *peer
) except -1:
    cdef Py_ssize_t size
    cdef const char *text = PyUnicode_AsUTF8AndSize(reason, &size)
    cdef bytes name, value
    if not clean(<Octets>text, size):
        raise ValueError("a control octet in an answer")
    put_head(
        out, <Octets>PyBytes_AS_STRING(parsed.data), &parsed.request, status, text, size,
        PyBytes_AS_STRING(tag), PyBytes_GET_SIZE(tag), peer
    )
    for name, value in headers:
        clean_octets(name)
        clean_octets(value)
        put(out, PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name))
        put(out, b": ", 2)
        put(out, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
        put(out, b"\r\n", 2)
    put_end(out)
    return 0


def response(
    message not None, int status, str reason not None, headers, bytes to_tag, tuple received
):
    """The final answer to a request that came from `received`, (host, port) of the packet.

    Works on the message inside Malformed too: fields that are not there are left out. Raises
    ValueError for a status outside 100..699 or a control octet in the reason, tag or a header.
    """
    cdef Message parsed = with_offsets(message)
    cdef char usual[USUAL_OCTETS]
    cdef Out out = into(usual, USUAL_OCTETS)
    cdef Peer peer
    cdef Py_ssize_t size
    cdef str host
    cdef bytes answer, tag = clean_octets(to_tag) if to_tag is not None else b""
    if not 100 <= status <= 699:
        raise ValueError(f"not a SIP status: {status}")
    host = plain_address(received[0])
    cdef const char *text = PyUnicode_AsUTF8AndSize(host, &size)
    read_peer(&peer, text, size)
    peer.port = received[1]
    put_all(&out, parsed, status, reason, headers, tag, &peer)
    if out.size <= out.room:
        return PyBytes_FromStringAndSize(usual, out.size)
    answer = PyBytes_FromStringAndSize(NULL, out.size)
    out = into(PyBytes_AS_STRING(answer), out.size)
    put_all(&out, parsed, status, reason, headers, tag, &peer)
    return answer


def destination(message not None, tuple source not None):
    """Where an answer goes over UDP: the source host; its port with rport, else the Via's or 5060.

    RFC 3261 18.2.2 would send to a maddr: refused here, it would reflect traffic to strangers.
    """
    cdef Message parsed = with_offsets(message)
    return source[0], answer_port(&parsed.request, source[1])


def to_tag(bytes key not None, message not None):
    """The To tag of an answer, the same for a retransmission (RFC 3261 8.2.7, 19.3).

    A CANCEL gets the tag of the INVITE it cancels, an ACK is never answered. key: 1..64 octets.
    """
    cdef Message parsed = with_offsets(message)
    cdef char tag[TAG_SIZE]
    cdef uint64_t words[2]
    cdef bytes octets = tag_key(key)
    memcpy(words, PyBytes_AS_STRING(octets), sizeof(words))
    write_tag(tag, <Octets>PyBytes_AS_STRING(parsed.data), &parsed.request, words[0], words[1])
    return PyBytes_FromStringAndSize(tag, TAG_SIZE)
