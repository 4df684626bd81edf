"""Onfile-After: an answer that waits for the asker's own change."""

import threading
import time
from typing import TYPE_CHECKING

import pytest

from service.log import event_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Store
    from tests.service.conftest import EventBody
    from tests.service.web.conftest import Reply, Web


@pytest.fixture
def deliver(web: "Web", event_body: "EventBody") -> "Callable[..., None]":
    def one(event_id: str = "evt_1", request: str = "req_1") -> None:
        assert web.deliver(event_body(event_id, request={"id": request})).status == 200

    return one


def apply_all(store: "Store") -> None:
    """Do what a worker does once it has applied what is pending."""
    with store.client() as client:
        entries = event_log.claim_new(client, "worker", 100)
        event_log.acknowledge(client, [entry.entry_id for entry in entries])


@pytest.mark.parametrize("after", ["evt_1", "req_1"])
def test_what_has_been_applied_is_answered_at_once(
    web: "Web", deliver: "Callable[..., None]", after: str
) -> None:
    web.plant_customer("cus_1")
    deliver()
    apply_all(web.store)
    reply = web.ask("/v1/customers/cus_1", Onfile_After=after)
    assert reply.status == 200
    assert "Preference-Applied" not in reply.headers


@pytest.mark.parametrize("after", ["evt_1", "req_1", "evt_unknown"])
def test_without_a_wait_what_is_not_applied_yet_is_504_at_once(
    web: "Web", deliver: "Callable[..., None]", after: str
) -> None:
    web.plant_customer("cus_1")
    deliver()
    began = time.monotonic()
    behind = web.ask("/v1/customers/cus_1", Onfile_After=after)
    assert time.monotonic() - began < 1
    assert behind.status == 504
    assert behind.error["type"] == "api_error"
    assert behind.error["code"] == "projection_behind"


def test_with_a_wait_the_answer_comes_as_soon_as_the_event_has_been_applied(
    web: "Web", deliver: "Callable[..., None]"
) -> None:
    web.plant_customer("cus_1")
    deliver()
    replies: list[Reply] = []
    waiting = threading.Thread(
        target=lambda: replies.append(
            web.ask("/v1/customers/cus_1", Onfile_After="req_1", Prefer="wait=9")
        )
    )
    began = time.monotonic()
    waiting.start()
    waiting.join(0.3)
    assert not replies
    apply_all(web.store)
    waiting.join(5)
    assert time.monotonic() - began < 5
    assert replies[0].status == 200
    assert replies[0].headers["Preference-Applied"] == "wait=9"


def test_when_the_wait_is_over_it_is_504_and_says_what_was_waited(web: "Web") -> None:
    began = time.monotonic()
    behind = web.ask("/v1/customers/cus_1", Onfile_After="req_1", Prefer="wait=1")
    assert 1 <= time.monotonic() - began < 3
    assert behind.status == 504
    assert behind.headers["Preference-Applied"] == "wait=1"


def test_an_event_of_another_namespace_is_never_applied_for_this_key(
    web: "Web", deliver: "Callable[..., None]"
) -> None:
    web.plant_customer("cus_1")
    deliver()
    apply_all(web.store)
    for key, account in ((web.live_key, ""), (web.test_key, "acct_1")):
        behind = web.ask("/v1/customers/cus_1", key, account=account, Onfile_After="evt_1")
        assert behind.status == 504


def test_one_pending_event_of_a_request_holds_the_answer_back(
    web: "Web", deliver: "Callable[..., None]"
) -> None:
    web.plant_customer("cus_1")
    deliver("evt_1", "req_1")
    apply_all(web.store)
    deliver("evt_2", "req_1")
    assert web.ask("/v1/customers/cus_1", Onfile_After="req_1").status == 504
    apply_all(web.store)
    assert web.ask("/v1/customers/cus_1", Onfile_After="req_1").status == 200


@pytest.mark.parametrize(
    "after", ["", "cus_1", "req_", "req_*", "evt_1, evt_2", "evt_" + "x" * 251]
)
def test_an_id_that_is_none_is_refused_by_its_header(web: "Web", after: str) -> None:
    refused = web.ask("/v1/customers/cus_1", Onfile_After=after)
    assert (refused.status, refused.error["param"]) == (400, "Onfile-After")


@pytest.mark.parametrize("prefer", ["wait=", "wait=x", "wait=-1", "wait=1.5", "wait = five"])
def test_a_wait_that_is_no_number_of_seconds_is_refused(web: "Web", prefer: str) -> None:
    refused = web.ask("/v1/customers/cus_1", Onfile_After="evt_1", Prefer=prefer)
    assert (refused.status, refused.error["param"]) == (400, "Prefer")


@pytest.mark.parametrize(
    ("prefer", "obeyed"),
    [
        ("wait=60", "wait=10"),
        ('respond-async, WAIT="3"', "wait=3"),
        ("wait=0", "wait=0"),
        ("respond-async", None),
    ],
)
def test_a_wait_is_read_among_other_preferences_and_cut_to_what_is_possible(
    web: "Web", deliver: "Callable[..., None]", prefer: str, obeyed: str | None
) -> None:
    web.plant_customer("cus_1")
    deliver()
    apply_all(web.store)
    reply = web.ask("/v1/customers/cus_1", Onfile_After="evt_1", Prefer=prefer)
    assert reply.headers["Preference-Applied"] == obeyed


def test_a_preference_alone_waits_for_nothing(web: "Web") -> None:
    web.plant_customer("cus_1")
    assert web.ask("/v1/customers/cus_1", Prefer="wait=nonsense").status == 200
