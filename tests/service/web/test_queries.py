"""The queries over HTTP, on documents that the test planted."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from service.documents import ListedSource

if TYPE_CHECKING:
    from tests.service.web.conftest import Web

Listed = Callable[..., ListedSource]


def test_a_customer_is_served_byte_for_byte(web: "Web") -> None:
    body = b'{"id":"cus_1",  "object":"customer","balance":1.50,"default_source":null}'
    web.plant_customer("cus_1", body=body)
    reply = web.ask("/v1/customers/cus_1")
    assert (reply.status, reply.body) == (200, body)
    assert reply.headers["Content-Type"] == "application/json"


def test_a_key_is_taken_as_basic_user_name(web: "Web", basic: Callable[[str], str]) -> None:
    web.plant_customer("cus_1")
    header = basic(f"{web.test_key}:")
    assert web.ask("/v1/customers/cus_1", key="", Authorization=header).status == 200


def test_a_missing_customer_is_404_with_its_id(web: "Web") -> None:
    for below in ("", "/sources", "/sources/card_1", "/default_source"):
        reply = web.ask(f"/v1/customers/cus_x{below}")
        assert reply.status == 404
        assert reply.error == {
            "type": "invalid_request_error",
            "message": "No such customer: 'cus_x'",
            "code": "resource_missing",
            "param": "id",
        }


def test_a_deleted_customer_is_a_stub_and_has_nothing_below_it(web: "Web") -> None:
    stub = b'{"id":"cus_1","object":"customer","deleted":true}'
    web.plant_customer("cus_1", body=stub, deleted=True)
    for query in ("", "?expand[]=sources&expand[]=default_source"):
        reply = web.ask(f"/v1/customers/cus_1{query}")
        assert (reply.status, reply.body) == (200, stub)
    for below in ("/sources", "/sources/card_1", "/default_source"):
        refused = web.ask(f"/v1/customers/cus_1{below}")
        assert refused.status == 404
        assert refused.error["message"] == "No such customer: 'cus_1'"


def test_expanding_puts_the_objects_in_place(web: "Web", a_source: Listed) -> None:
    web.plant_customer("cus_1", a_source("card_2"), a_source("card_1"), default="card_1")
    plain = web.ask("/v1/customers/cus_1").json
    assert plain["default_source"] == "card_1"
    assert "sources" not in plain
    full = web.ask("/v1/customers/cus_1?expand[]=sources&expand[]=default_source").json
    assert full["default_source"]["id"] == "card_1"
    assert [source["id"] for source in full["sources"]["data"]] == ["card_2", "card_1"]
    assert full["sources"]["url"] == "/v1/customers/cus_1/sources"


def test_a_null_default_stays_null_when_expanded(web: "Web") -> None:
    web.plant_customer("cus_1")
    assert web.ask("/v1/customers/cus_1?expand[]=default_source").json["default_source"] is None


def test_the_list_is_stripes_and_newest_first(web: "Web", a_source: Listed) -> None:
    web.plant_customer("cus_1", *(a_source(f"card_{n}") for n in range(12)))
    reply = web.ask("/v1/customers/cus_1/sources").json
    assert [source["id"] for source in reply.pop("data")] == [f"card_{n}" for n in range(10)]
    assert reply == {"object": "list", "has_more": True, "url": "/v1/customers/cus_1/sources"}


def test_the_count_is_given_when_expanded(web: "Web", a_source: Listed) -> None:
    web.plant_customer("cus_1", a_source("ba_1", "bank_account"), a_source("card_1"))
    path = "/v1/customers/cus_1/sources?expand[]=total_count&expand[]=data"
    assert web.ask(path).json["total_count"] == 2
    assert web.ask(f"{path}&object=card").json["total_count"] == 1


@pytest.mark.parametrize(
    ("query", "shown", "has_more"),
    [
        ("limit=2", ["a", "b"], True),
        ("limit=2&starting_after=b", ["c", "d"], True),
        ("limit=2&starting_after=d", ["e"], False),
        ("limit=2&ending_before=e", ["c", "d"], True),
        ("limit=2&ending_before=c", ["a", "b"], False),
        ("starting_after=e", [], False),
        ("object=bank_account", ["b"], False),
        ("object=source", [], False),
        ("object=card&limit=1&starting_after=a", ["c"], True),
    ],
)
def test_a_part_of_the_list_can_be_asked_for(
    web: "Web",
    a_source: Listed,
    query: str,
    shown: list[str],
    has_more: bool,  # noqa: FBT001 - a table's column
) -> None:
    kinds = {"b": "bank_account"}
    web.plant_customer("cus_1", *(a_source(n, kinds.get(n, "card")) for n in "abcde"))
    reply = web.ask(f"/v1/customers/cus_1/sources?{query}").json
    assert [source["id"] for source in reply["data"]] == shown
    assert reply["has_more"] is has_more


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("object=cards", "object"),
        ("starting_after=card_other", "starting_after"),
        ("ending_before=card_other", "ending_before"),
        ("foo=1", "foo"),
    ],
)
def test_a_bad_parameter_is_400_with_its_name(
    web: "Web", a_source: Listed, query: str, param: str
) -> None:
    web.plant_customer("cus_1", a_source("card_1"))
    web.plant_customer("cus_2", a_source("card_other"))
    refused = web.ask(f"/v1/customers/cus_1/sources?{query}")
    assert (refused.status, refused.error["param"]) == (400, param)


def test_a_source_of_a_customer_is_only_one_in_its_list(web: "Web", a_source: Listed) -> None:
    web.plant_customer("cus_1", a_source("ba_1", "bank_account"))
    web.plant_customer("cus_2", a_source("card_2"))
    found = web.ask("/v1/customers/cus_1/sources/ba_1")
    assert (found.status, found.json["object"]) == (200, "bank_account")
    refused = web.ask("/v1/customers/cus_1/sources/card_2")
    assert refused.status == 404
    assert refused.error["message"] == "No such source: 'card_2'"
    assert refused.error["param"] == "id"


def test_the_default_source_is_the_object_itself_or_an_envelope(
    web: "Web", a_source: Listed
) -> None:
    web.plant_customer("cus_1", a_source("card_1"), default="card_1")
    web.plant_customer("cus_2")
    web.plant_customer("cus_3", default="card_unseen")
    assert web.ask("/v1/customers/cus_1/default_source").body == a_source("card_1").body
    envelope = {"object": "default_source", "customer": "cus_2", "default_source": None}
    assert web.ask("/v1/customers/cus_2/default_source").json == envelope
    unseen = web.ask("/v1/customers/cus_3/default_source").json
    assert unseen == {**envelope, "customer": "cus_3", "default_source": "card_unseen"}


def test_a_source_is_served_whether_attached_or_consumed(web: "Web") -> None:
    web.plant_source("src_free")
    web.plant_source("src_gone", owner="cus_1", gone=True)
    web.plant_source("src_owned", owner="cus_1")
    for source_id in ("src_free", "src_gone", "src_owned"):
        assert web.ask(f"/v1/sources/{source_id}").json["id"] == source_id


def test_the_sources_url_serves_no_card_and_nothing_without_an_object(web: "Web") -> None:
    web.plant_source("card_1", kind="card")
    web.plant_source("src_1", body=b"")
    for source_id in ("card_1", "src_1", "src_unknown"):
        refused = web.ask(f"/v1/sources/{source_id}")
        assert refused.status == 404
        assert refused.error["message"] == f"No such source: '{source_id}'"
        assert refused.error["param"] == "id"


def test_a_client_secret_must_be_the_sources_own(web: "Web") -> None:
    web.plant_source("src_1")
    web.plant_source("src_2", body=json.dumps({"id": "src_2", "object": "source"}).encode())
    assert web.ask("/v1/sources/src_1?client_secret=src_1_secret_x").status == 200
    for path in ("src_1?client_secret=src_2_secret_x", "src_2?client_secret=%C3%A9"):
        refused = web.ask(f"/v1/sources/{path}")
        assert (refused.status, refused.error["param"]) == (400, "client_secret")


def test_a_source_tells_how_its_owners_default_was_reached(web: "Web") -> None:
    web.plant_customer("cus_1", basis="inferred")
    web.plant_source("src_owned", owner="cus_1")
    web.plant_source("src_early", owner="cus_not_yet_there")
    web.plant_source("src_free")
    bases = {
        name: web.ask(f"/v1/sources/src_{name}").headers["Onfile-Default-Basis"]
        for name in ("owned", "early", "free")
    }
    assert bases == {"owned": "inferred", "early": "ambiguous", "free": "confirmed"}


def test_a_source_that_events_cannot_decide_says_so(web: "Web") -> None:
    web.plant_source("src_1", decided=False)
    web.plant_source("src_2")
    assert web.ask("/v1/sources/src_1").headers["Onfile-Ambiguous"] == "object"
    assert "Onfile-Ambiguous" not in web.ask("/v1/sources/src_2").headers


def test_every_answer_carries_its_freshness(web: "Web", a_source: Listed) -> None:
    web.plant_customer("cus_1", a_source("src_1", "source"), default="src_1")
    web.plant_source("src_1", owner="cus_1")
    for path in (
        "/v1/customers/cus_1",
        "/v1/customers/cus_1/sources",
        "/v1/customers/cus_1/sources/src_1",
        "/v1/customers/cus_1/default_source",
        "/v1/sources/src_1",
    ):
        headers = web.ask(path).headers
        assert headers["ETag"].startswith('"')
        assert headers["Last-Modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"
        assert headers["Onfile-Event"] in ("evt_1", "evt_2")
        assert headers["Onfile-Default-Basis"] == "confirmed"
        assert headers["Request-Id"].startswith("req_")
