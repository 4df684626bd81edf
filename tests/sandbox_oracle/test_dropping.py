"""With personal fields dropped every answer is Stripe's but for these, and none is less sure."""

import json
from random import Random
from typing import TYPE_CHECKING

from service.drop import Drop
from service.personal_fields import GROUPS
from service.sandbox.clock import ManualClock
from service.sandbox.oracle import Compared, compare, questions
from service.sandbox.stripe import Stripe
from service.sandbox.traffic import Traffic
from tests.sandbox_oracle.bench import ALL, START
from tests.sandbox_oracle.onfile import onfile_on

if TYPE_CHECKING:
    from service.sandbox.forms import Given
    from tests.conftest import Store

OPERATIONS = 150


class Lives:
    """What some customers did, who also move house, marry and change their telephones."""

    def __init__(self) -> None:
        clock, self._chance = ManualClock(START), Random(3)  # noqa: S311 - no secret
        self.stripe = Stripe(clock=clock, seed=3)
        self.traffic = Traffic(self.stripe, clock, 3)
        events = [event for _ in range(OPERATIONS) for event in (*self._operate(), *self._edit())]
        self.bodies = [json.dumps(event).encode() for event in events]
        self._chance.shuffle(self.bodies)

    def compared(self, store: "Store", *drop_fields: str) -> list[Compared]:
        asked = questions(self.traffic.customers, self.traffic.sources)
        with onfile_on(store, drop_fields) as onfile:
            onfile.forget()
            onfile.receive(self.bodies)
            onfile.apply(ALL)
            answers = onfile.ask(asked)
        drop = Drop(drop_fields)
        return [compare(self.stripe, answers.__getitem__, path, drop) for path in asked]

    def _operate(self) -> list[dict[str, object]]:
        return [*self.traffic.operate().events]

    def _edit(self) -> list[dict[str, object]]:
        customer = self._chance.choice(self.traffic.customers)
        word = str(self._chance.random())
        fields: dict[str, Given] = {
            "name": word,
            "email": f"{word}@example.com",
            "phone": word,
            "address": {"line1": word},
            "shipping": {"name": word, "address": {"line1": word}},
        }
        changed = dict(self._chance.sample(sorted(fields.items()), 2))
        return [*self.stripe.call("POST", f"/v1/customers/{customer}", changed).events]


def test_every_answer_is_stripes_but_for_what_is_dropped(store: "Store") -> None:
    lives = Lives()
    full, bare = lives.compared(store), lives.compared(store, *GROUPS)
    assert len(bare) > OPERATIONS
    assert [one for one in (*full, *bare) if one.mismatch] == []
    assert [one.path for one in bare if one.ambiguous] == [o.path for o in full if o.ambiguous]
    assert [one.same for one in bare] == [one.same for one in full]
    gone = [o for o, b in zip(full, bare, strict=True) if o.expected != b.expected]
    assert len(gone) > OPERATIONS / 2
