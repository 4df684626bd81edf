"""A customer's timeline over HTTP: a list as Stripe's, newest first, of this namespace only."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.service.web.conftest import Web

PATH = "/v1/customers/cus_1/timeline"


def sources(web: "Web", query: str = "") -> list[str]:
    return [change["source"] for change in web.ask(f"{PATH}{query}").json["data"]]


def test_the_newest_change_comes_first_and_cursors_walk_on(web: "Web") -> None:
    web.plant_customer("cus_1")
    web.plant_timeline("cus_1", 12)
    answer = web.ask(PATH).json
    assert (answer["object"], answer["url"], answer["has_more"]) == ("list", PATH, True)
    assert [change["source"] for change in answer["data"]] == [
        f"card_{n}" for n in range(11, 1, -1)
    ]
    last = answer["data"][-1]["id"]
    assert sources(web, f"?starting_after={last}") == ["card_1", "card_0"]
    assert sources(web, f"?ending_before={last}&limit=2") == ["card_4", "card_3"]


def test_a_deleted_customer_still_has_its_timeline(web: "Web") -> None:
    web.plant_customer("cus_1", deleted=True)
    web.plant_timeline("cus_1", 1)
    assert sources(web) == ["card_0"]


@pytest.mark.parametrize("planted", [True, False])
def test_what_is_unknown_has_none(web: "Web", *, planted: bool) -> None:
    if planted:  # and is gone by the time its timeline is made
        web.plant_customer("cus_1")
    reply = web.ask(PATH)
    assert (reply.status, reply.error["code"]) == (404, "resource_missing")


def test_a_cursor_that_names_nothing_and_an_unknown_parameter_are_refused(web: "Web") -> None:
    web.plant_customer("cus_1")
    web.plant_timeline("cus_1", 1)
    refused = web.ask(f"{PATH}?starting_after=change_x")
    assert (refused.status, refused.error["message"]) == (400, "No such change: 'change_x'")
    assert web.ask(f"{PATH}?object=card").error["code"] == "parameter_unknown"


def test_the_other_mode_sees_nothing_of_it(web: "Web") -> None:
    web.plant_customer("cus_1")
    web.plant_timeline("cus_1", 1)
    assert web.ask(PATH, web.live_key).status == 404
