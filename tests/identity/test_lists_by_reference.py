"""Telephone numbers of a certificate that stand at a URL (RFC 8226 section 10.2)."""

import asyncio
from pathlib import Path

import pytest
from cryptography import x509

from callscreen.identity import gathering
from callscreen.identity.chains import check_authority, judge_chain
from callscreen.identity.fetching import Fetched, Unfetched
from callscreen.identity.keeping import Doubt
from callscreen.identity.listing import LIST_OCTETS, STIR_TN_LIST, url_of
from callscreen.identity.model import Fault
from callscreen.identity.paths import check_no_provider
from callscreen.identity.trust import Trust

from .authority import SECONDS, Authority, Issued, tn_authority_der
from .extensions import Number
from .test_keeping import DAY, URL, Kept, refused

LIST = "https://numbers.example.net/list"
HOUR = 3_600.0
NUMBER = "12155550121"


def named(*places: str | x509.GeneralName, method: x509.ObjectIdentifier = STIR_TN_LIST) -> object:
    """An extension that names a list at these places."""
    names = [
        x509.UniformResourceIdentifier(each) if isinstance(each, str) else each for each in places
    ]
    value = x509.AuthorityInformationAccess(
        [x509.AccessDescription(method, each) for each in names]
    )
    return value, False


def leaf(kept: Kept, *places: str | x509.GeneralName, **more: object) -> Issued:
    """A certificate of numbers below a provider."""
    provider = kept.root.intermediate("Provider", tn_authority=tn_authority_der(["1234"]))
    return provider.leaf((), name="Customer", beside=[named(*places)], **more)


def listed(*numbers: Number) -> bytes:
    return tn_authority_der(numbers=numbers)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def claims(number: str = NUMBER) -> dict[str, dict[str, str]]:
    return {"orig": {"tn": number}}


async def test_numbers_are_those_of_the_list(kept: Kept) -> None:
    kept.web.answers |= {URL: leaf(kept, LIST).pem, LIST: listed(("12155550100", 100), "5")}
    await kept.want()
    assert kept.web.asked == [URL, LIST]
    chain = kept.certificates.chain_of(URL, "")
    assert chain.numbers == (("5", "5"), ("12155550100", "12155550199"))
    check_authority(chain, claims(), "rcd")
    with pytest.raises(Fault, match="none of its numbers"):
        check_authority(chain, claims("12155550200"), "rcd")
    kept.again()  # after a restart nothing is fetched
    assert kept.certificates.chain_of(URL, "").numbers == chain.numbers
    assert kept.web.asked == [URL, LIST]


@pytest.mark.parametrize(
    "answer",
    [
        Unfetched("answered 404", kind="bad"),
        Unfetched("no connection", dead=True, kind="dead"),
        b"",
        b"<html>",
        tn_authority_der(),
        listed(NUMBER) + b"more",
    ],
)
async def test_until_the_list_is_there_it_cannot_be_told(kept: Kept, answer: object) -> None:
    """And the host of the certificate is not blamed for it: others have theirs there."""
    other = URL.replace("a.pem", "b.pem")
    kept.web.answers |= {URL: leaf(kept, LIST).pem, LIST: answer, other: kept.root.leaf().pem}
    await kept.want()
    fault = refused(kept)
    assert (fault.code, fault.unknown) == (436, True)
    assert "its list of numbers" in fault.detail
    assert kept.certificates.count == 0
    assert not kept.certificates.lacks(URL), "it is left alone for a while"
    assert kept.certificates.lacks(other)
    await kept.want(other)
    assert kept.certificates.chain_of(other, "").spc == ("1234",)
    kept.clock.now += 5
    kept.web.answers[LIST] = listed(NUMBER)
    await kept.want()
    assert kept.certificates.chain_of(URL, "").numbers == ((NUMBER, NUMBER),)


async def test_a_list_that_never_comes_holds_nobody(kept: Kept) -> None:
    kept.web.answers |= {
        URL: leaf(kept, LIST).pem,
        LIST: asyncio.Event(),
        LIST + "!": listed(NUMBER),
    }
    await kept.certificates.want([URL], 0.0)
    assert refused(kept).unknown
    assert kept.certificates.lacks(URL)
    kept.web.answers[LIST].set()
    await kept.want()
    assert kept.certificates.chain_of(URL, "").numbers
    assert kept.web.asked == [URL, LIST]


async def test_it_is_fetched_with_the_limits_of_its_own_host(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callscreen.identity.keeping.HOST_FETCHES", 3)
    urls = [f"https://h{each}.example{each}.org/a.pem" for each in range(5)]
    kept.web.answers |= dict.fromkeys(urls, leaf(kept, LIST).pem) | {LIST: listed(NUMBER)}
    for url in urls:
        await kept.want(url)
    assert kept.web.asked.count(LIST) == 3
    assert [kept.certificates.lacks(url) for url in urls] == [False, False, False, True, True]
    kept.clock.now += 60
    await kept.want(*urls)
    assert not any(map(kept.certificates.lacks, urls))


@pytest.mark.parametrize(
    ("max_age", "life"), [(0.0, DAY), (60.0, HOUR), (7_200.0, 7_200.0), (90 * DAY, DAY)]
)
async def test_path_and_list_have_one_life(kept: Kept, max_age: float, life: float) -> None:
    kept.web.answers |= {URL: leaf(kept, LIST).pem, LIST: Fetched(listed(NUMBER), max_age)}
    await kept.want()
    kept.clock.now += life - 1
    assert kept.certificates.chain_of(URL, "").numbers
    kept.clock.now += 1
    assert kept.certificates.lacks(URL)
    kept.again()
    assert kept.certificates.count == 0


async def test_a_list_that_grew_is_had_anew(kept: Kept) -> None:
    """As a certificate that was replaced: a token that it does not bear out asks for that."""
    kept.web.answers |= {URL: leaf(kept, LIST).pem, LIST: listed("5")}
    await kept.want()
    before = kept.certificates.chain_of(URL, "")
    kept.clock.now += 100
    assert kept.certificates.doubt(URL, kept.clock.now) is Doubt.WANTED
    kept.web.answers[LIST] = listed("5", NUMBER)
    await kept.certificates.want([], 5.0, [URL])
    assert before.numbers == (("5", "5"),)
    check_authority(kept.certificates.chain_of(URL, ""), claims(), "rcd")
    kept.clock.now += 100
    kept.web.answers[LIST] = b"<html>"  # the old one serves on
    await kept.certificates.want([], 5.0, [URL])
    check_authority(kept.certificates.chain_of(URL, ""), claims(), "rcd")


async def test_what_a_certificate_says_itself_counts_alone(kept: Kept) -> None:
    own = leaf(kept, LIST, tn_authority=listed("5"))
    kept.web.answers |= {URL: own.pem, LIST: listed(NUMBER)}
    await kept.want()
    assert kept.certificates.chain_of(URL, "").numbers == (("5", "5"),)
    assert kept.web.asked == [URL]


async def test_a_list_above_limits_those_below(kept: Kept) -> None:
    provider = kept.root.intermediate("Provider", tn_authority=tn_authority_der(["1234"]))
    customer = provider.intermediate("Customer", beside=[named(LIST)])
    for number, good in ((NUMBER, True), ("12155550200", False)):
        kept.web.answers |= {URL: customer.delegate(number).pem, LIST: listed(("12155550100", 100))}
        kept.again()
        await kept.want(URL)
        if good:
            assert kept.certificates.chain_of(URL, "").numbers == ((number, number),)
        else:
            assert "parent" in refused(kept).detail
        await kept.certificates._drop(URL)


async def test_a_list_of_provider_codes_makes_a_provider(kept: Kept) -> None:
    """It is what the authority that issued the certificate says of it, wherever it stands."""
    issued = kept.root.leaf((), name="Provider", beside=[named(LIST)])
    kept.web.answers |= {URL: issued.pem, LIST: tn_authority_der(["1234"])}
    await kept.want()
    chain = kept.certificates.chain_of(URL, "")
    assert (chain.spc, chain.numbers) == (("1234",), ())


def test_at_no_https_url_there_is_none(kept: Kept) -> None:
    for place in (
        "http://numbers.example.net/list",
        "https://numbers.example.net:444/list",
        "https://u@numbers.example.net/list",
        "ldap://numbers.example.net/list",
        x509.DNSName("numbers.example.net"),
    ):
        with pytest.raises(Fault, match="no https URL"):
            url_of(leaf(kept, place).certificate)
        with pytest.raises(Fault) as found:
            judge_chain(leaf(kept, place).path, Trust(kept.root.roots), SECONDS)
        assert (found.value.code, found.value.unknown) == (437, False)
    other = x509.UniformResourceIdentifier("https://b.example.net/list")
    assert url_of(leaf(kept, "ldap://a.example.net", other).certificate) == other.value
    ocsp = named("http://ocsp.example.net", method=x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1"))
    assert url_of(kept.root.leaf(beside=[ocsp]).certificate) == ""


async def test_a_path_has_a_few_lists_at_most(kept: Kept) -> None:
    above = kept.root
    for each in range(5):
        place = f"https://numbers.example.net/{each}"
        above = above.intermediate(f"CA {each}", beside=[named(place)])
    kept.web.answers[URL] = above.delegate(NUMBER).pem
    await kept.want()
    assert kept.web.asked == [URL]
    assert (refused(kept).code, refused(kept).unknown) == (437, False)


async def test_what_was_kept_without_its_list_is_fetched_anew(kept: Kept) -> None:
    """As by an earlier version, or cut off."""
    kept.web.answers |= {URL: leaf(kept, LIST).pem, LIST: listed(NUMBER)}
    await kept.want()
    (file,) = (kept.cache / "x5u").iterdir()
    whole = file.read_bytes()
    first, _, rest = whole.partition(b"\n")
    for broken in (
        first.replace(LIST.encode(), b"https://other.example") + b"\n" + rest,
        first.partition(b',"lists"')[0] + b"}\n" + leaf(kept, LIST).pem,
        whole[:-1],
        first.replace(b'"lists":[[', b'"lists":[[1,') + b"\n" + rest,
        first.replace(b'"lists":[[', b'"lists":[') + b"\n" + rest,
    ):
        assert broken != whole
        file.write_bytes(broken)
        kept.again()
        assert kept.certificates.count == 0
        assert not file.exists()
    file.write_bytes(whole)
    kept.again()
    assert kept.certificates.chain_of(URL, "").numbers


async def test_octets_of_lists_count(kept: Kept) -> None:
    path, numbers = leaf(kept, LIST).pem, listed(*(str(each) for each in range(100, 200)))
    kept.web.answers |= {URL: path, LIST: numbers}
    await kept.want()
    assert kept.certificates.octets == len(path) + len(numbers)
    kept.clock.now += DAY
    await kept.certificates.refresh()
    assert kept.certificates.octets == 0


async def test_so_many_octets_are_asked_for() -> None:
    asked: list[int] = []

    async def get(url: str, most: int) -> Fetched:
        asked.append(most)
        return Fetched(listed(NUMBER))

    issued = Authority().leaf((), name="Customer", beside=[named(LIST)])
    found = await gathering.gathered(issued.path, get)
    assert (asked, dict(found.octets)) == ([LIST_OCTETS], {LIST: listed(NUMBER)})


def test_one_with_a_list_signs_no_trust_list(kept: Kept) -> None:
    with pytest.raises(Fault, match="signs no list"):
        check_no_provider(leaf(kept, LIST).certificate)
