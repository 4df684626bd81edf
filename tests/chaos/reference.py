"""The right answers: an undisturbed projection of exactly the same events, and Stripe itself."""

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from service.sandbox.clock import ManualClock
from service.sandbox.oracle import Ask, Compared, compare, questions
from service.sandbox.stripe import Stripe
from service.sandbox.traffic import Traffic
from tests.workers.fold import Fold, facts_told

BEGIN = 1_700_000_000


class Reference:
    """A shop's customers at a Stripe of their own, and what their events amount to."""

    def __init__(self, seed: int) -> None:
        self._clock = ManualClock(BEGIN)
        self._stripe = Stripe(clock=self._clock, seed=seed)
        self._stripe.endpoints = 1
        self._traffic = Traffic(self._stripe, self._clock, seed)
        self._fold = Fold()
        self.answers: dict[str, bytes] = {}
        """By id, every answer that there is to be once all events so far are applied."""

    def events(self, number: int) -> list[dict[str, Any]]:
        """Let at least so many things happen, and return their events."""
        told: list[dict[str, Any]] = []
        while len(told) < number:
            told += self._traffic.operate().events
        self._learn(told)
        return told

    def differing(self, found: dict[str, bytes]) -> list[str]:
        """Return the ids of stored answers that are missing, wrong or too many."""
        ids = sorted(self.answers.keys() | found.keys())
        return [each for each in ids if self.answers.get(each) != found.get(each)]

    def mismatches(self, ask: Ask) -> Iterable[Compared]:
        """Put every question there is to both sides; yield the answers that are not Stripe's."""
        for question in questions(self._traffic.customers, self._traffic.sources):
            compared = compare(self._stripe, ask, question)
            if compared.mismatch:
                yield compared

    def _learn(self, events: Iterable[dict[str, Any]]) -> None:
        sources: set[str] = set()
        customers: set[str] = set()
        for event in events:
            facts = facts_told(json.dumps(event).encode())
            self._fold.apply([facts])
            sources |= facts.sources.keys()
            customers |= facts.customers.keys()
        for source in sources:
            customers |= self._fold.sources[source].facts.owners
            self.answers[source] = msgspec.msgpack.encode(self._fold.source(source))
        for customer in customers:
            self.answers[customer] = msgspec.msgpack.encode(self._fold.customer(customer))
