"""Lists and cursors: every walk meets every source once, in order."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.documents import CustomerAnswer, ListedSource
from service.web.parameters import Listing, ParameterError
from service.web.shapes import (
    Page,
    customer_object,
    default_source_object,
    list_object,
    page_of,
    source_body,
)

KINDS = ["card", "bank_account", "source"]


def listed(name: str, kind: str = "card") -> ListedSource:
    return ListedSource(name, kind, json.dumps({"id": name, "object": kind}).encode())


def answer(
    body: bytes, *sources: ListedSource, default: str = "", deleted: bool = False
) -> CustomerAnswer:
    return CustomerAnswer(body, deleted, default, "confirmed", list(sources), 1, "evt_1", [])


@st.composite
def lists(draw: st.DrawFn) -> list[ListedSource]:
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=30))
    return [listed(f"id_{place}", kind) for place, kind in enumerate(kinds)]


@given(lists(), st.integers(1, 100), st.sampled_from(["", *KINDS]))
def test_walking_forward_meets_every_source_once_in_order(
    sources: list[ListedSource], limit: int, kind: str
) -> None:
    seen: list[str] = []
    asked = Listing(kind, limit)
    while True:
        page = page_of(sources, asked)
        seen += [source.id for source in page.data]
        assert len(page.data) <= limit
        if not page.has_more:
            break
        asked = Listing(kind, limit, starting_after=seen[-1])
    assert seen == [source.id for source in sources if kind in ("", source.kind)]


@given(lists(), st.integers(1, 100), st.sampled_from(["", *KINDS]))
def test_walking_backward_meets_every_source_before_the_last_once_in_order(
    sources: list[ListedSource], limit: int, kind: str
) -> None:
    end = [*sources, listed("id_last")]
    seen: list[str] = []
    cursor = "id_last"
    while True:
        page = page_of(end, Listing(kind, limit, ending_before=cursor))
        seen = [source.id for source in page.data] + seen
        if not page.has_more:
            break
        cursor = seen[0]
    assert seen == [source.id for source in sources if kind in ("", source.kind)]


@given(lists(), st.integers(1, 100))
def test_a_list_says_how_many_there_are_whatever_the_page(
    sources: list[ListedSource], limit: int
) -> None:
    for kind in KINDS:
        count = sum(source.kind == kind for source in sources)
        assert page_of(sources, Listing(kind, limit)).total == count


def test_the_page_before_a_cursor_is_the_one_just_before_it() -> None:
    sources = [listed(name) for name in "abcde"]
    page = page_of(sources, Listing(limit=2, ending_before="e"))
    assert [source.id for source in page.data] == ["c", "d"]
    assert page.has_more


def test_a_cursor_that_the_filter_leaves_out_is_still_a_place() -> None:
    sources = [listed("a"), listed("b", "bank_account"), listed("c"), listed("d")]
    page = page_of(sources, Listing("card", starting_after="b"))
    assert [source.id for source in page.data] == ["c", "d"]


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        (Listing(starting_after="card_x"), "starting_after"),
        (Listing(ending_before="card_x"), "ending_before"),
    ],
)
def test_a_cursor_that_names_nothing_here_is_refused_by_its_parameter(
    asked: Listing, param: str
) -> None:
    with pytest.raises(ParameterError, match="No such source: 'card_x'") as refused:
        page_of([listed("a")], asked)
    assert refused.value.param == param
    assert refused.value.code == "resource_missing"


def test_two_cursors_at_once_are_refused() -> None:
    with pytest.raises(ParameterError, match="Received both starting_after and ending_before"):
        page_of([listed("a"), listed("b")], Listing(starting_after="a", ending_before="b"))


def test_objects_in_a_list_are_the_very_bytes_that_came() -> None:
    body = b'{"id":"a", "amount":1.0, "big":123456789012345678901234567890, "\\u00e9":[]}'
    made = list_object("cus_1", Page([ListedSource("a", "card", body)], has_more=False, total=1))
    assert body in made
    assert json.loads(made)["has_more"] is False


def test_an_id_that_needs_escaping_cannot_break_out_of_the_url() -> None:
    made = list_object('cus_"},{"', Page([], has_more=True, total=0))
    assert json.loads(made)["url"] == '/v1/customers/cus_"},{"/sources'


def test_without_expansion_a_customer_is_the_very_bytes_stored() -> None:
    body = b'{ "id" : "cus_1", "n": 1.10 }'
    assert customer_object("cus_1", answer(body), frozenset()) == body


def test_expanding_changes_no_number_and_no_other_field() -> None:
    body = b'{"id":"cus_1","n":1.10,"default_source":"a","deep":{"x":[1e3, null]}}'
    known = answer(body, listed("a"), default="a")
    made = customer_object("cus_1", known, frozenset({"default_source", "sources"}))
    assert b'"n":1.10' in made
    assert b'{"x":[1e3, null]}' in made
    fields = json.loads(made)
    assert fields["default_source"] == {"id": "a", "object": "card"}
    assert fields["sources"] == {
        "object": "list",
        "data": [{"id": "a", "object": "card"}],
        "has_more": False,
        "total_count": 1,
        "url": "/v1/customers/cus_1/sources",
    }


def test_an_embedded_list_shows_the_ten_newest_and_the_true_count() -> None:
    sources = [listed(f"card_{n}") for n in range(12)]
    known = answer(b'{"id":"cus_1"}', *sources)
    embedded = json.loads(customer_object("cus_1", known, frozenset({"sources"})))["sources"]
    assert [source["id"] for source in embedded["data"]] == [f"card_{n}" for n in range(10)]
    assert embedded["has_more"] is True
    assert embedded["total_count"] == 12


@pytest.mark.parametrize("default", ["", "card_unknown"])
def test_a_default_without_an_object_stays_as_it_is_when_expanded(default: str) -> None:
    body = json.dumps({"id": "cus_1", "default_source": default or None}).encode()
    known = answer(body, default=default)
    made = customer_object("cus_1", known, frozenset({"default_source"}))
    assert json.loads(made)["default_source"] == (default or None)


def test_a_deleted_customer_is_its_stub_whatever_is_expanded() -> None:
    stub = b'{"id":"cus_1","object":"customer","deleted":true}'
    known = answer(stub, deleted=True)
    assert customer_object("cus_1", known, frozenset({"sources", "default_source"})) == stub


def test_the_default_source_is_its_object_or_an_envelope_with_what_is_known() -> None:
    known = answer(b"{}", listed("a"), default="a")
    assert default_source_object("cus_1", known) == listed("a").body
    envelope = {"object": "default_source", "customer": "cus_1", "default_source": None}
    assert json.loads(default_source_object("cus_1", answer(b"{}"))) == envelope
    unseen = json.loads(default_source_object("cus_1", answer(b"{}", default="card_x")))
    assert unseen == envelope | {"default_source": "card_x"}


def test_a_source_that_is_not_in_the_list_has_no_body() -> None:
    assert source_body(answer(b"{}", listed("a")), "b") == b""
