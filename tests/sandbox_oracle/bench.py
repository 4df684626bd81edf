"""Both sides on one bench: a Stripe that is operated, and Onfile, which hears of it somehow."""

import json
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

from service.sandbox.books import Books
from service.sandbox.clock import ManualClock
from service.sandbox.forms import Given
from service.sandbox.stripe import Answer, Stripe
from tests.sandbox_oracle.history import History
from tests.sandbox_oracle.judge import Judge
from tests.sandbox_oracle.onfile import Onfile

START = 1_700_000_000

FAIR = 0
"""This weather delivers every event once, in Stripe's own order, all at the same time."""

DUPLICATE_SHARE = 0.1
MOST_AT_ONCE = 12
ALL = 100_000


class Bench:
    """One history at Stripe and what Onfile makes of it."""

    def __init__(self, onfile: Onfile, tally: "Counter[str] | None" = None) -> None:
        self.onfile = onfile
        self.clock = ManualClock(START)
        self.stripe = Stripe(clock=self.clock, seed=1)
        self.history = History()
        self.tally = Counter[str]() if tally is None else tally
        """What was done, and `excused: …`, how often which excuse was needed."""
        self._open: list[bytes] = []
        self._sent: list[bytes] = []
        onfile.forget()

    @property
    def books(self) -> Books:
        """What is true."""
        return self.stripe._accounts[""].books if self.stripe._accounts else Books()

    def call(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Given] | None = None,
        *,
        silent: str = "",
        key: str = "",
    ) -> Answer:
        """Do something at Stripe; `silent` names what it does without an event."""
        answer = self.stripe.call(method, path, parameters, idempotency_key=key)
        second = int(self.clock.now())
        self.history.record(self.books, answer.events, second=second, silent=silent)
        self._open += [json.dumps(event).encode() for event in answer.events]
        self.tally["operations" if answer.status == 200 else "operations refused"] += 1
        self.tally["events"] += len(answer.events)
        return answer

    def done(self, method: str, path: str, parameters: Mapping[str, Given] | None = None) -> Any:
        """Do something that Stripe must not refuse; return what it answers."""
        answer = self.call(method, path, parameters)
        assert answer.status == 200, answer.body
        return answer.body

    def withhold(self) -> list[bytes]:
        """Take away what is not delivered yet, to be released later."""
        withheld, self._open = self._open, []
        return withheld

    def release(self, bodies: list[bytes]) -> None:
        """Have these delivered too from now on."""
        self._open += bodies

    def deliver(self, weather: int, *, share: float = 1.0) -> None:
        """Deliver some of what is open and some of what was delivered before; apply some of it."""
        if weather == FAIR:
            going, self._open = self._open, []
            self._send(going)
            return
        chance = Random(weather)  # noqa: S311 - weather is no secret
        chance.shuffle(self._open)
        cut = round(len(self._open) * share)
        going, self._open = self._open[:cut], self._open[cut:]
        again = [b for b in (*self._sent, *going) if chance.random() < DUPLICATE_SHARE]
        self.tally["deliveries of the same again"] += len(again)
        going += again
        chance.shuffle(going)
        while going:
            size = chance.randint(1, MOST_AT_ONCE)
            self._send(going[:size])
            del going[:size]
            for _ in range(chance.choice((0, 1, 1, 2))):
                self.onfile.apply(chance.randint(1, MOST_AT_ONCE), times=chance.choice((1, 1, 2)))

    def settle(self, weather: int = FAIR) -> None:
        """Deliver and apply everything there is, and compare every answer."""
        self.deliver(weather)
        self.onfile.apply(ALL)
        judge = Judge(self.history, self.books)
        judge.judge(self.onfile.ask(judge.questions()))
        self.tally["settlings"] += 1
        self.tally["answers compared"] += judge.compared
        self.tally.update({f"excused: {name}": n for name, n in judge.excused.items()})

    def excuses(self) -> dict[str, int]:
        """Return which excuses were needed, and how often."""
        start = "excused: "
        return {name.removeprefix(start): n for name, n in self.tally.items() if start in name}

    def _send(self, bodies: list[bytes]) -> None:
        self.onfile.receive(bodies)
        self._sent += bodies
        self.tally["deliveries"] += len(bodies)
