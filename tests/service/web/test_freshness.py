"""The headers that say how fresh an answer is and how it was reached."""

from typing import TYPE_CHECKING

import pytest

from service.web.freshness import Freshness, etag_of, freshness_headers, matches

if TYPE_CHECKING:
    from tests.service.web.conftest import Web

FRESH = Freshness(1_700_000_000, "evt_1", "inferred")


def test_the_headers_say_when_what_and_how() -> None:
    assert dict(freshness_headers(FRESH, b'"x"')) == {
        b"etag": b'"x"',
        b"last-modified": b"Tue, 14 Nov 2023 22:13:20 GMT",
        b"onfile-event": b"evt_1",
        b"onfile-default-basis": b"inferred",
        b"cache-control": b"private, no-cache",
        b"vary": b"Authorization, Stripe-Account",
    }


def test_what_is_not_known_is_not_said() -> None:
    headers = dict(freshness_headers(Freshness(0, "", "confirmed"), b'"x"'))
    assert b"onfile-event" not in headers
    assert b"onfile-ambiguous" not in headers


def test_what_events_cannot_decide_is_named() -> None:
    fresh = Freshness(0, "evt_1", "ambiguous", ("default", "order"))
    assert dict(freshness_headers(fresh, b'"x"'))[b"onfile-ambiguous"] == b"default, order"


@pytest.mark.parametrize("second", [-1, 0, 253_402_300_799, 10**30])
def test_a_second_that_no_date_can_show_is_no_error(second: int) -> None:
    headers = dict(freshness_headers(Freshness(second, "", "confirmed"), b'"x"'))
    assert headers[b"last-modified"].endswith(b" GMT")


def test_the_same_bytes_have_the_same_tag_and_others_another() -> None:
    assert etag_of(b"a") == etag_of(b"a")
    assert etag_of(b"a") != etag_of(b"b")


@pytest.mark.parametrize(
    ("if_none_match", "known"),
    [
        (b'"x"', True),
        (b'W/"x"', True),
        (b'"y", "x"', True),
        (b'"y",W/"x" ', True),
        (b" * ", True),
        (b'"y"', False),
        (b"x", False),
        (b"", False),
        (b'"x', False),
    ],
)
def test_if_none_match_takes_lists_weak_tags_and_a_star(
    if_none_match: bytes,
    known: bool,  # noqa: FBT001 - a table's column
) -> None:
    assert matches(if_none_match, b'"x"') is known


def test_an_answer_somebody_has_is_304_with_the_same_headers_and_no_body(web: "Web") -> None:
    web.plant_customer("cus_1", ambiguous=["order"], basis="inferred")
    first = web.ask("/v1/customers/cus_1")
    again = web.ask("/v1/customers/cus_1", If_None_Match=first.headers["ETag"])
    assert (first.status, again.status, again.body) == (200, 304, b"")
    for name in ("ETag", "Last-Modified", "Onfile-Event", "Onfile-Default-Basis", "Vary"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["Onfile-Ambiguous"] == "order"
    assert again.headers["Cache-Control"] == "private, no-cache"
    assert again.headers["Request-Id"].startswith("req_")


def test_a_changed_answer_is_sent_whole_again(web: "Web") -> None:
    web.plant_customer("cus_1")
    first = web.ask("/v1/customers/cus_1")
    web.plant_customer("cus_1", default="card_1")
    again = web.ask("/v1/customers/cus_1", If_None_Match=first.headers["ETag"])
    assert again.status == 200
    assert again.headers["ETag"] != first.headers["ETag"]


def test_each_expansion_has_a_tag_of_its_own(web: "Web") -> None:
    web.plant_customer("cus_1")
    plain = web.ask("/v1/customers/cus_1")
    expanded = web.ask("/v1/customers/cus_1?expand[]=sources")
    assert plain.headers["ETag"] != expanded.headers["ETag"]


def test_head_has_the_headers_of_get_and_no_body(web: "Web") -> None:
    web.plant_customer("cus_1")
    got, head = web.ask("/v1/customers/cus_1"), web.ask("/v1/customers/cus_1", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    for name in ("ETag", "Content-Length", "Content-Type", "Onfile-Event"):
        assert head.headers[name] == got.headers[name]
