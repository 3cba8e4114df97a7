"""URIs and name-addr values taken apart."""

import pytest

from callscreen.fastpath.uri import check_uri, field_params, parse_name_addr, parse_uri, unescape


def test_a_sip_uri_is_taken_apart() -> None:
    uri = parse_uri(b"SIP:al%69ce:s%3Bcret@[2001:db8::1]:5070;Transport=tcp;lr?Subject=a%20b&x=")
    assert (uri.scheme, uri.user, uri.raw_user) == ("sip", b"alice", b"al%69ce")
    assert (uri.password, uri.host, uri.port) == (b"s;cret", b"[2001:db8::1]", 5070)
    assert uri.params == {b"transport": b"tcp", b"lr": None}
    assert uri.headers == ((b"Subject", b"a b"), (b"x", b""))


def test_the_user_part_may_have_parameters_of_its_own() -> None:
    uri = parse_uri(b"sips:+1-585-555-1234;phone-context=%2B1;ext=9@example.com;user=phone")
    assert (uri.subscriber, uri.host) == (b"+1-585-555-1234", b"example.com")
    assert uri.user_params == {b"phone-context": b"+1", b"ext": b"9"}
    assert uri.user == b"+1-585-555-1234;phone-context=+1;ext=9"
    assert uri.params == {b"user": b"phone"}


def test_a_uri_without_a_user_has_none() -> None:
    uri = parse_uri(b"sip:edge.example.net")
    assert (uri.user, uri.password, uri.port, uri.params, uri.headers) == (b"", None, None, {}, ())


@pytest.mark.parametrize("number", [b"+1-(585).555", b"911", b"*67#", b"(585)555-1234"])
def test_a_tel_uri_is_taken_apart(number: bytes) -> None:
    uri = parse_uri(b"tel:" + number + b";Phone-Context=+1;ext=9")
    assert (uri.scheme, uri.subscriber, uri.host) == ("tel", number, b"")
    assert uri.user_params == {b"phone-context": b"+1", b"ext": b"9"}


def test_a_parameter_given_twice_counts_as_first_given() -> None:
    assert parse_uri(b"sip:a;x=1;x=2@b;user=phone;USER=ip").params == {b"user": b"phone"}


@pytest.mark.parametrize(
    "text",
    [
        *(
            b"",
            b"sip",
            b"sip:",
            b":a@b",
            b"1sip:a@b",
            b"http://a",
            b"sip:@b",
            b"sip:a@",
            b"sip:a@@b",
        ),
        *(b"sip:a b@c", b"sip:a@b c", b"sip:a<@b", b"sip:a@b>", b"sip:a%4@b", b"sip:a%zz@b"),
        *(b"sip:a@b:", b"sip:a@b:0", b"sip:a@b:65536", b"sip:a@b:5x", b"sip:a@b:99999999999"),
        *(b"sip:a@b;", b"sip:a@b;;x", b"sip:a@b;=x", b"sip:a@b;x=", b"sip:a@b?", b"sip:a@b?x"),
        *(b"sip:a@b?x=1&", b"sip:a@1.2.3", b"sip:a@1.2.3.256", b"sip:a@01.2.3.4", b"sip:a@[::1"),
        *(b"sip:a@[1.2.3.4]", b"sip:a@[::g]", b"sip:a@x..y", b"sip:a@-x", b"sip:a@x/y"),
        *(b"sip:a@" + b"x" * 256, b"sip:a\0@b", b"sip:\xc3\xa9@b", b"tel:", b"tel:+", b"tel:+1a"),
        *(b"tel:--", b"tel:+1;", b"tel:1 2", b"tel:12;x=", b"tel:585x"),
    ],
)
def test_what_the_grammar_forbids_is_an_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_uri(text)


def test_other_schemes_are_sound_but_not_served() -> None:
    assert check_uri(b"isbn:2983792873") == check_uri(b"soap.beep://192.0.2.103:3002") == "scheme"
    assert check_uri(b"sip:a@b") == check_uri(b"tel:1") == ""
    for text in (b"isbn:", b"http://a b", b"x:%4"):
        with pytest.raises(ValueError, match="not a URI"):
            check_uri(text)


def test_name_addr_and_addr_spec() -> None:
    assert parse_name_addr(b'"A \\"B" <sip:a@b;x=y>;tag=1') == (b'"A \\"B"', b"sip:a@b;x=y", b"1")
    assert parse_name_addr(b"A B<tel:1>") == (b"A B", b"tel:1", None)
    assert parse_name_addr(b"sip:a@b;tag=1") == (b"", b"sip:a@b", b"1")
    assert parse_name_addr(b'<sip:a@b> ; x = "y;z" ; TAG = 2').tag == b"2"
    for text in (b"", b"<>", b"A, B <sip:a@b>", b"< sip:a@b>", b"<sip:a@b>x", b"sip:a,c@b"):
        with pytest.raises(ValueError, match=r"."):
            parse_name_addr(text)


def test_parameters_of_a_field_and_escapes() -> None:
    assert field_params(b'; A ;b="x;y"; c = 1') == [(b"a", None), (b"b", b'"x;y"'), (b"c", b"1")]
    assert unescape(b"%41%4%zz%00") == b"A%4%zz\0"
