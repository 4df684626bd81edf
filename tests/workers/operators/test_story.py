"""One event's story: its envelope without secrets, its facts, and what they are worth today."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from service.compression import compress
from service.keys import OVERCOME, Namespace, customer_key
from service.log.retention import trim
from service.log.rewrite import rewrite_log
from tests.workers.notation import CUSTOMER, added, card, created, event, removed, updated
from tests.workers.operators.bench import KEY
from tests.workers.stored import stored_values
from workers.operators import person
from workers.operators.envelope import shown
from workers.operators.story import Story, stories

if TYPE_CHECKING:
    from tests.workers.operators.bench import Bench, Handlers
    from workers.operators.influence import ToldFact


def applied(bench: "Bench", *bodies: bytes) -> list[Story]:
    """Apply events and return the stories of all in the log, oldest first."""
    bench.accept(*bodies)
    bench.drain()
    return [one for event_id in bench.event_ids() for one in stories(bench.desk, event_id)]


def standings(story: Story) -> dict[str, str]:
    return {f"{one.document} {one.fact}": one.standing for one in story.facts}


def test_the_envelope_is_what_stripe_sent_but_for_client_secrets(bench: "Bench") -> None:
    url = "https://hooks.stripe.com/redirect/src_1?client_secret=src_client_secret_abc123&x=1"
    source = {
        "id": "src_1",
        "object": "source",
        "client_secret": "src_client_secret_abc123",
        "redirect": {"url": url},
        "amount": 1.10,
        "customer": None,
    }
    body = event("source.chargeable", source, 1)
    [story] = applied(bench, body)
    envelope = json.loads(bytes(story.envelope))
    sent = json.loads(body)
    assert story.masked == ["data.object.client_secret", "data.object.redirect.url"]
    assert b"abc123" not in bytes(story.envelope)
    assert envelope["data"]["object"]["redirect"]["url"].startswith("https://hooks.stripe.com/")
    for one in (envelope, sent):
        del one["data"]["object"]["client_secret"], one["data"]["object"]["redirect"]
    assert envelope == sent
    assert story.request == sent["request"]["id"]


def test_numbers_of_the_envelope_stand_as_they_were_written() -> None:
    assert shown(b'{"a": 1.10, "b": 12345678901234567890, "c": [null, "x"]}').body == (
        b'{"a":1.10,"b":12345678901234567890,"c":[null,"x"]}'
    )


def test_the_newest_snapshot_shapes_the_answer_and_an_older_one_is_outdone(bench: "Bench") -> None:
    first, second, third = applied(bench, created("A", 1), updated("A", 5), updated("A", 9))
    assert standings(third)["customer snapshot"] == "shapes"
    assert third.shapes_answer
    assert standings(second)["customer snapshot"] == "kept"
    assert not second.shapes_answer
    assert standings(first)["customer snapshot"] == "outdone"
    assert first.shapes_answer, "it is what tells when the first source was added"
    assert standings(first)["source first"] == "shapes"


def test_a_deletion_shapes_the_answer_for_good_and_all_else_no_more(bench: "Bench") -> None:
    gone = event("customer.deleted", {"id": CUSTOMER, "object": "customer", "deleted": True}, 3)
    first, second, last = applied(bench, created("A", 1), updated("A", 9), gone)
    assert standings(last)["customer deleted"] == "shapes"
    assert standings(second)["customer snapshot"] == "kept"
    assert standings(first)["customer snapshot"] == "outdone"


def test_of_two_that_tell_when_a_source_went_the_earlier_counts(bench: "Bench") -> None:
    _, early, late = applied(bench, added("A", 1), removed("A", 5), removed("A", 7))
    gone = {one.event: standings(one)["source gone"] for one in (early, late)}
    assert gone == {early.event: "shapes", late.event: "outdone"}
    [why] = [one.why for one in late.facts if one.fact == "gone"]
    assert "1970-01-01T00:00:05Z is known" in why


def test_a_second_view_and_a_list_are_told_of(bench: "Bench") -> None:
    view = event(
        "payment_method.updated",
        {"id": "card_A", "object": "payment_method", "type": "card", "customer": CUSTOMER}
        | {"card": {"exp_year": 2040}, "billing_details": {}},
        7,
    )
    listed = created("A", 9, sources={"object": "list", "data": [card("A")], "has_more": False})
    _, viewed, customer = applied(bench, added("A", 1), view, listed)
    assert "source view" in standings(viewed)
    assert standings(viewed)["source owner"] == "kept"
    assert standings(customer)["customer list"] == "kept"


def test_what_waits_is_absent_from_the_answers(bench: "Bench") -> None:
    bench.accept(created("A", 1))
    [event_id] = bench.event_ids()
    [story] = stories(bench.desk, event_id)
    assert (story.state, story.shapes_answer, story.tells) == ("pending", False, "facts")
    assert set(standings(story).values()) == {"absent"}
    bench.drain()
    bench.accept(updated("A", 9))
    [later] = stories(bench.desk, bench.event_ids()[-1])
    assert standings(later)["customer snapshot"] == "absent"


def test_an_event_that_tells_nothing_and_one_that_cannot_be_read_say_so(bench: "Bench") -> None:
    nothing = event(
        "source.transaction.created", {"id": "srctxn", "object": "source_transaction"}, 1
    )
    poison = event("customer.source.created", {"object": "card"}, 1)
    silent, unreadable = applied(bench, nothing, poison)
    assert (silent.tells, silent.facts) == ("nothing", [])
    assert (unreadable.tells, unreadable.state) == ("unreadable", "retrying")
    assert "object_without_id" in unreadable.problem
    assert [one.reason for one in unreadable.attempts] == ["object_without_id"]


def test_an_event_that_was_applied_in_the_end_still_shows_what_failed_before(
    bench: "Bench", handlers: "Handlers"
) -> None:
    handlers.broken = True
    [story] = applied(bench, created("A", 1))
    assert story.state == "retrying"
    handlers.broken = False
    bench.try_again(story.event)
    [story] = stories(bench.desk, story.event)
    assert story.state == "applied"
    assert [one.reason for one in story.attempts] == ["RuntimeError"]
    assert trim(bench.log, -1000).removed == 1
    assert bench.log.hlen(OVERCOME) == 0


def test_two_events_of_one_id_are_two_stories(bench: "Bench") -> None:
    twice: list[Any] = [
        event("customer.created", {"id": c, "object": "customer"}, 1, event_id="evt_00")
        for c in ("cus_000", "cus_0000")
    ]
    bench.accept(*twice)
    assert [one.object for one in stories(bench.desk, "evt_00")] == ["cus_000", "cus_0000"]
    assert stories(bench.desk, "evt_unknown") == []
    assert stories(bench.desk, "no id*") == []


def test_one_change_told_twice_is_kept_once_and_says_by_whom(bench: "Bench") -> None:
    fields = {"id": CUSTOMER, "object": "customer", "default_source": None}
    one, two = applied(
        bench,
        event("customer.updated", fields, 3, request="req_1", event_id="evt_a"),
        event("customer.updated", fields, 3, request="req_1", event_id="evt_b"),
    )
    why: list[ToldFact] = [fact for fact in two.facts if fact.fact == "snapshot"]
    assert why[0].why.endswith("(as told by evt_a)")
    assert one.shapes_answer


@pytest.mark.parametrize("keys", [(), (KEY,)], ids=["plain", "sealed"])
def test_an_event_of_which_the_documents_are_damaged_is_still_shown(bench: "Bench") -> None:
    bench.accept(created("A", 1), added("A", 1))
    bench.drain()
    for key, value in stored_values(bench.log).items():
        bench.log.set(key, value[:-4])
    _, story = (one for event_id in bench.event_ids() for one in stories(bench.desk, event_id))
    assert set(standings(story).values()) == {"absent"}
    assert {fact.why for fact in story.facts} == {"the document is damaged"}


def test_a_document_that_can_be_opened_and_makes_no_sense_is_damaged(bench: "Bench") -> None:
    [story] = applied(bench, created(None, 1))
    key = customer_key(Namespace("", "test"), CUSTOMER)
    packed = b"\x92\x97\xa1\xff"  # a text that is none
    bench.log.set(key, bytes(8) + compress(packed))
    [story] = stories(bench.desk, story.event)
    assert {fact.why for fact in story.facts} == {"the document is damaged"}
    assert person.find(bench.desk, Namespace("", "test"), CUSTOMER).documents == 1


def test_an_event_that_is_no_json_any_more_says_so(bench: "Bench") -> None:
    bench.accept(created("A", 1))
    torn = compress(b'{"id": "evt_1"')
    rewrite_log(bench.log, lambda _: None, lambda some: {one.entry_id: torn for one in some})
    [event_id] = bench.event_ids()
    [story] = stories(bench.desk, event_id)
    assert (story.tells, story.problem, bytes(story.envelope)) == (
        "unreadable",
        "not_json",
        b"null",
    )
