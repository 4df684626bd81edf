"""The outbox: which event is to be tried where and when. It sends nothing and asks no clock.

A try ends with `taken` or `refused`; a refused one comes back later and later, for three days.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from service.sandbox.endpoints import Endpoint
from service.sandbox.errors import Json
from service.sandbox.weather import Weather

FIRST_RETRY_SECONDS = 1.0
"""Stripe waits minutes to hours; whoever develops does not want to."""

LONGEST_RETRY_SECONDS = 3600.0
GIVE_UP_SECONDS = 3 * 24 * 3600.0


class Try(NamedTuple):
    """One HTTP request to be made; tries sort by when they are due."""

    due: float
    order: int
    endpoint: int
    event_id: str
    body: bytes
    posted: float
    number: int = 1
    """Which try of this event at this endpoint it is."""
    lost: bool = False
    duplicate: bool = False


@dataclass(frozen=True)
class Tally:
    """What has come of the deliveries so far."""

    events: int = 0
    sent: int = 0
    taken: int = 0
    refused: int = 0
    lost: int = 0
    duplicates: int = 0
    given_up: int = 0


class Outbox:
    """What is still to be delivered, to any number of endpoints."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        weather: Weather,
        *,
        first_retry_seconds: float = FIRST_RETRY_SECONDS,
    ) -> None:
        self.endpoints = tuple(endpoints)
        self.tally = Tally()
        self.open = 0
        """How many tries are due some time or under way."""
        self._weather = weather
        self._first_retry_seconds = first_retry_seconds
        self._tries: list[Try] = []
        self._order = count()

    @property
    def next_due(self) -> float | None:
        """When the next try is due; None when nothing waits."""
        return self._tries[0].due if self._tries else None

    def post(self, event: Json, *, now: float) -> None:
        """Take an event in; the bytes of all its deliveries are those it has now."""
        body = json.dumps(event, indent=2, ensure_ascii=False).encode()
        number = self.tally.events
        self._count(events=1)
        for place in range(len(self.endpoints)):
            wait, lost, again = self._weather.forecast(place, number)
            first = Try(now + wait, 0, place, event["id"], body, now, lost=lost)
            self._push(first)
            if again is not None:
                self._push(first._replace(due=now + again, lost=False, duplicate=True))

    def due(self, now: float) -> list[Try]:
        """Return what is to be sent now; what the weather swallows is put back for its retry."""
        ready: list[Try] = []
        while self._tries and self._tries[0].due <= now:
            each = heappop(self._tries)
            if each.lost:
                self._count(lost=1)
                self._again(each, now)
            else:
                self._count(sent=1, duplicates=int(each.duplicate))
                ready.append(each)
        return ready

    def taken(self, each: Try) -> bool:
        """Note that an endpoint answered 2xx; tell whether it was not by a duplicate."""
        self.open -= 1
        self._count(taken=1)
        return not each.duplicate

    def refused(self, each: Try, *, now: float) -> None:
        """Note that an endpoint answered anything else, or nothing: it will be tried again."""
        self._count(refused=1)
        self._again(each, now)

    def _again(self, each: Try, now: float) -> None:
        self.open -= 1
        if each.duplicate:
            return
        pause = min(self._first_retry_seconds * 2 ** (each.number - 1), LONGEST_RETRY_SECONDS)
        if now + pause - each.posted > GIVE_UP_SECONDS:
            self._count(given_up=1)
        else:
            self._push(each._replace(due=now + pause, number=each.number + 1, lost=False))

    def _push(self, each: Try) -> None:
        heappush(self._tries, each._replace(order=next(self._order)))
        self.open += 1

    def _count(self, **more: int) -> None:
        counted = {name: getattr(self.tally, name) + number for name, number in more.items()}
        self.tally = replace(self.tally, **counted)
