"""Weather and outbox, without a network: what is sent when, and that a run can be had again."""

import json
from random import Random
from typing import Any

import pytest

from service.sandbox.clock import ManualClock, SystemClock
from service.sandbox.endpoints import Endpoint, EndpointError, endpoint
from service.sandbox.ids import Ids
from service.sandbox.outbox import GIVE_UP_SECONDS, LONGEST_RETRY_SECONDS, Outbox, Try
from service.sandbox.stripe import Stripe
from service.sandbox.weather import Weather

STORM = Weather(seed=7, delay=0.5, shuffle=3, duplicate=0.3, lose=0.3)
ENDPOINTS = (Endpoint("http://a", ("whsec_a",)), Endpoint("http://b", ("whsec_b",)))


def event(number: int) -> dict[str, Any]:
    return {"id": f"evt_{number}", "number": number}


def run(weather: Weather, events: int = 100, *, refuse: float = 0.0) -> tuple[list[Any], Outbox]:
    """Deliver an event each tenth of a second to endpoints that refuse some; return all tries."""
    clock, outbox, chance = ManualClock(1000), Outbox(ENDPOINTS, weather), Random(1)  # noqa: S311
    made: list[Any] = []
    posted = 0
    while posted < events or outbox.open:
        if posted < events:
            outbox.post(event(posted), now=clock.now())
            posted += 1
        for each in outbox.due(clock.now()):
            made.append((round(clock.now() - 1000, 1), each.endpoint, each.event_id, each.number))
            if chance.random() < refuse:
                outbox.refused(each, now=clock.now())
            else:
                outbox.taken(each)
        clock.advance(0.1)
    return made, outbox


def arrived(made: list[Any], place: int) -> list[str]:
    return [event_id for _, endpoint, event_id, _ in made if endpoint == place]


def test_the_same_seed_gives_the_same_run() -> None:
    assert run(STORM, refuse=0.2)[0] == run(STORM, refuse=0.2)[0]
    other = Weather(8, STORM.delay, STORM.shuffle, STORM.duplicate, STORM.lose)
    assert run(other, refuse=0.2)[0] != run(STORM, refuse=0.2)[0]


def test_the_same_seed_gives_the_same_events() -> None:
    def lived(seed: int) -> str:
        stripe = Stripe(clock=ManualClock(1_700_000_000), seed=seed)
        customer = stripe.call("POST", "/v1/customers", {"source": "tok_visa"}).body["id"]
        stripe.call("DELETE", f"/v1/customers/{customer}")
        return json.dumps(stripe.events)

    assert lived(3) == lived(3) != lived(4)


def test_clear_weather_keeps_the_order_and_sends_once() -> None:
    made, outbox = run(Weather())
    names = [f"evt_{number}" for number in range(100)]
    assert arrived(made, 0) == arrived(made, 1) == names
    assert (outbox.tally.sent, outbox.tally.taken, outbox.tally.lost) == (200, 200, 0)
    assert str(Weather()) == "clear"


def test_a_storm_shuffles_repeats_and_loses_and_everything_arrives() -> None:
    made, outbox = run(STORM)
    names = {f"evt_{number}" for number in range(100)}
    tally = outbox.tally
    for place in (0, 1):
        order = arrived(made, place)
        assert set(order) == names
        assert order != sorted(order)
        assert len(order) > 100
    assert arrived(made, 0) != arrived(made, 1)
    assert 30 < tally.duplicates < 90
    assert 30 < tally.lost < 90
    assert tally.sent == 200 + tally.duplicates
    assert str(STORM) == (
        "each event 0.5 s late, shuffled within 3 s, 30% twice, 30% of first tries lost"
    )


def test_every_event_waits_as_long_as_it_was_told() -> None:
    made, _ = run(Weather(delay=2), events=1)
    assert [moment for moment, *_ in made] == [2.0, 2.0]


def test_a_refused_try_comes_back_later_and_later_until_three_days_are_over() -> None:
    outbox, now = Outbox(ENDPOINTS[:1], Weather(), first_retry_seconds=1), 0.0
    outbox.post(event(0), now=now)
    pauses = []
    while (due := outbox.next_due) is not None:
        pauses.append(due - now)
        now = due
        (each,) = outbox.due(now)
        outbox.refused(each, now=now)
    assert pauses[:6] == [0, 1, 2, 4, 8, 16]
    assert max(pauses) == LONGEST_RETRY_SECONDS
    assert GIVE_UP_SECONDS - LONGEST_RETRY_SECONDS < now <= GIVE_UP_SECONDS
    assert (outbox.open, outbox.tally.given_up) == (0, 1)


def test_all_tries_of_an_event_have_the_same_bytes() -> None:
    outbox = Outbox(ENDPOINTS, Weather(duplicate=1))
    told = {"id": "evt_1", "pending_webhooks": 2, "name": "Jörg"}
    outbox.post(told, now=0)
    tries: list[Try] = outbox.due(10)
    assert len(tries) == 4
    outbox.refused(tries[0], now=10)
    tries += outbox.due(20)
    assert {each.body for each in tries} == {
        json.dumps(told, indent=2, ensure_ascii=False).encode()
    }


def test_an_endpoint_must_be_one() -> None:
    assert endpoint("https://x/y", " whsec_a , whsec_b ") == Endpoint(
        "https://x/y", ("whsec_a", "whsec_b")
    )
    with pytest.raises(EndpointError, match="is no endpoint"):
        endpoint("localhost:8000", "whsec_a")
    with pytest.raises(EndpointError, match="needs a secret"):
        endpoint("http://localhost:8000", " , ")


def test_ids_begin_with_their_second_as_recorded_ones_do() -> None:
    ids = Ids(1)
    assert ids.of_second("src", 1_652_289_197).startswith("src_1KyJ69")
    assert ids.of_second("evt", 0).startswith("evt_100000")
    later = [ids.of_second("evt", second) for second in range(1_700_000_000, 1_700_000_200)]
    assert later == sorted(later)
    assert SystemClock().now() > 1_700_000_000
