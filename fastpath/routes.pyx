"""Where a treatment sends a call, and the header lines that say so. routes.pxd says what."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memchr, memcmp, memset

from callscreen.fastpath.answer_write cimport Out, into, put
from callscreen.fastpath.arena cimport Arena, at, drop_text, put_text
from callscreen.fastpath.extract_scan cimport contact_uri
from callscreen.fastpath.history cimport History, put_history, put_index, read_history
from callscreen.fastpath.plan cimport CONTINUE, SCREEN, VOICEMAIL
from callscreen.fastpath.put_uri cimport put_at_host, put_escaped, put_host, put_text8, text_of
from callscreen.fastpath.sip_escape cimport next_octet
from callscreen.fastpath.sip_scan cimport Request
from callscreen.fastpath.sip_text cimport Octets
from callscreen.fastpath.sip_uri cimport URI_BAD, URI_OTHER, Uri

from .routes_types import host_part, place_kind, redress


cdef int fill_route(Arena *arena, Route *out, object settings) except -1:
    memset(out, 0, sizeof(Route))
    out.voicemail_kind = place_kind(settings.voicemail_service_location)
    out.menu_kind = place_kind(settings.redirect_destination)
    out.use_contact = bool(settings.use_contact)
    out.egress = put_text(arena, host_part(settings.egress_route))
    out.prefix = put_text(arena, settings.sip_routing_prefix)
    out.redress = put_text(arena, redress(settings.network_blocked_contact))
    out.signer = put_text(arena, settings.divert_cert_name)
    if out.voicemail_kind:
        out.voicemail = put_text(arena, settings.voicemail_service_location)
    if out.menu_kind:
        out.menu = put_text(arena, settings.redirect_destination)
    return 0


cdef void drop_route(Arena *arena, Route *route) noexcept nogil:
    drop_text(arena, route.egress)
    drop_text(arena, route.prefix)
    drop_text(arena, route.redress)
    drop_text(arena, route.signer)
    drop_text(arena, route.voicemail)
    drop_text(arena, route.menu)
    memset(route, 0, sizeof(Route))


cdef Text8 text_at(const Arena *arena, uint32_t offset) noexcept nogil:
    cdef Text8 out
    out.at, out.size = <const unsigned char *>b"", 0
    if offset:
        out.at = <const unsigned char *>(at(arena, offset) + 1)
        out.size = <uint32_t>at(arena, offset)[0]
    return out


cdef inline bint is_place(const Uri *uri) noexcept nogil:
    return uri.kind != URI_BAD and uri.kind != URI_OTHER


cdef void read_asked(Asked *out, Octets data, const Request *request) noexcept nogil:
    cdef uint32_t i, size
    out.data, out.request = data, request
    out.user.at, out.user.size = out.user_text, 0
    out.uri = request.parts
    if not is_place(&out.uri):
        out.uri.host.start = out.uri.host.end = out.uri.port = 0
        return
    i = out.uri.user.start
    size = out.uri.user.end - i
    if size <= USER_OCTETS and memchr(data + i, c'%', size) == NULL:
        out.user = text_of(data, out.uri.user)  # as it stands: nothing is escaped
        return
    while i < out.uri.user.end:
        if out.user.size == USER_OCTETS:
            out.user.size = 0
            return
        out.user_text[out.user.size] = next_octet(data, &i, out.uri.user.end, True)
        out.user.size += 1


cdef bint find_route(
    const Arena *arena, const Route *route, const Asked *asked, Target *out
) noexcept nogil:
    """The host that calls are sent on to; false where none is known."""
    cdef Uri contact
    if route.use_contact and contact_uri(asked.data, asked.request, &contact):
        out.host, out.port = text_of(asked.data, contact.host), contact.port
        if out.host.size:
            return True
    out.host, out.port = text_at(arena, route.egress), 0
    return out.host.size > 0


cdef inline bint ask_host(const Asked *asked, Target *out) noexcept nogil:
    """The host that was asked, where there is one."""
    out.host, out.port = text_of(asked.data, asked.uri.host), asked.uri.port
    return out.host.size > 0


cdef bint is_asked_user(Text8 prefix, const Asked *asked) noexcept nogil:
    """Prefix and called number are the very user that was asked."""
    cdef Text8 rest = asked.called if asked.called.size else asked.user
    return (
        prefix.size + rest.size == asked.user.size
        and memcmp(asked.user.at, prefix.at, prefix.size) == 0
        and memcmp(asked.user.at + prefix.size, rest.at, rest.size) == 0
    )


cdef void carry_on(
    const Arena *arena, const Route *route, const Asked *asked, Target *out
) noexcept nogil:
    cdef bint found = find_route(arena, route, asked, out)
    out.prefix = text_at(arena, route.prefix)
    if not found and not is_asked_user(out.prefix, asked):
        found = ask_host(asked, out)
    if found and (out.prefix.size or asked.called.size or asked.user.size):
        out.verb, out.status = CARRY_ON, 302
    else:
        out.verb, out.status = NOT_THERE, 404


cdef bint send_to(
    const Arena *arena, const Route *route, uint32_t text, uint8_t kind, const Asked *asked,
    Target *out
) noexcept nogil:
    """Whether a configured location means a place; the target is that then."""
    if kind == NOWHERE or not text:
        return False
    if kind == PLACE_NUMBER and not find_route(arena, route, asked, out):
        if not ask_host(asked, out):
            return False
    out.verb, out.status = SEND_TO, 302
    out.kind, out.place = kind, text_at(arena, text)
    out.diverts = asked.uri.host.end > asked.uri.host.start or asked.called.size or asked.user.size
    return True


cdef void find_target(
    const Arena *arena, const Route *route, uint8_t treatment, bint network, uint32_t mail,
    uint8_t mail_kind, const Asked *asked, Target *out
) noexcept nogil:
    out.verb, out.status, out.port = TURN_AWAY, 603, 0
    out.diverts = out.mail = False
    if treatment == CONTINUE:
        carry_on(arena, route, asked, out)
    elif treatment == VOICEMAIL:
        if send_to(arena, route, mail, mail_kind, asked, out) or send_to(
            arena, route, route.voicemail, route.voicemail_kind, asked, out
        ):
            out.mail = out.diverts and out.kind != PLACE_TEL
    elif treatment == SCREEN:
        send_to(arena, route, route.menu, route.menu_kind, asked, out)
    elif network and route.redress:
        out.verb = NETWORK_BLOCK
        out.place = text_at(arena, route.redress)


cdef void put_diverting(Out *out, const Asked *asked) noexcept nogil:
    """The URI of who diverts the call."""
    cdef Text8 number = asked.called if asked.called.size else asked.user
    cdef Text8 host = text_of(asked.data, asked.uri.host)
    if host.size:
        put_at_host(out, number, host, asked.uri.port)
    else:
        put(out, b"tel:", 4)
        put_escaped(out, number, 1)


cdef void put_cause(Out *out, const Asked *asked) noexcept nogil:
    """The parameters of RFC 4458."""
    cdef char room[DIVERTING_OCTETS]
    cdef Out who = into(room, DIVERTING_OCTETS)
    cdef Text8 text
    put_diverting(&who, asked)
    text.at, text.size = <const unsigned char *>room, <uint32_t>min(who.size, who.room)
    put(out, b";target=", 8)
    put_escaped(out, text, 2)
    put(out, b";cause=302", 10)


cdef uint32_t headers_at(Text8 uri) noexcept nogil:
    """Where the headers of a URI begin, or its end."""
    cdef uint32_t i = uri.size
    cdef const unsigned char *mark
    while i > 0 and uri.at[i - 1] != c'@':
        i -= 1
    mark = <const unsigned char *>memchr(uri.at + i, c'?', uri.size - i)
    return <uint32_t>(mark - uri.at) if mark != NULL else uri.size


cdef void put_place(Out *out, const Asked *asked, const Target *target) noexcept nogil:
    cdef Text8 rest = target.place
    cdef Text8 number = asked.called if asked.called.size else asked.user
    if target.kind == PLACE_NUMBER:
        put_at_host(out, target.place, target.host, target.port)
    elif target.kind == PLACE_HOST:
        put_at_host(out, number, target.place, 0)
    elif target.kind == PLACE_ADDRESS:
        put(out, b"sip:", 4)
        if number.size:
            put_escaped(out, number, 1)
            put(out, b"@", 1)
        put(out, b"[", 1)
        put_text8(out, target.place)
        put(out, b"]", 1)
    else:
        if target.kind == PLACE_USER:
            put(out, b"sip:", 4)
        rest.size = headers_at(target.place) if target.mail else target.place.size
        put_text8(out, rest)
    if target.mail:
        put_cause(out, asked)
        if target.kind == PLACE_URI or target.kind == PLACE_USER:
            put(out, target.place.at + rest.size, target.place.size - rest.size)


cdef void put_carried(Out *out, const Asked *asked, const Target *target) noexcept nogil:
    put(out, b"sip:", 4)
    put_escaped(out, target.prefix, 1)
    put_escaped(out, asked.called if asked.called.size else asked.user, 1)
    put(out, b"@", 1)
    put_host(out, target.host, target.port)


cdef void put_target(Out *out, const Asked *asked, const Target *target) noexcept nogil:
    cdef History history
    if target.verb == NETWORK_BLOCK:
        put(out, b'Reason: SIP;cause=603;text="v=analytics1;', 41)
        put_text8(out, target.place)
        put(out, b'";location=LN\r\n', 15)
    if target.status != 302:
        return
    put(out, b"Contact: <", 10)
    if target.verb == CARRY_ON:
        put_carried(out, asked, target)
    else:
        put_place(out, asked, target)
    put(out, b">", 1)
    read_history(asked, &history)
    if history.indexed:
        put(out, b";rc=" if target.verb == CARRY_ON else b";mp=", 4)
        put_index(out, asked, &history)
    put(out, b"\r\n", 2)
    if target.diverts:
        put(out, b"Diversion: <", 12)
        put_diverting(out, asked)
        put(out, b">;reason=unconditional;counter=1\r\n", 34)
    if history.told:
        put_history(out, asked, &history)
