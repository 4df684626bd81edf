"""Which histories are tried, and how many: `ONFILE_EXAMPLES` histories of each kind of world."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st

from tests.workers.fold import facts_told
from tests.workers.stripe_model import Stripe, World
from workers.algebra.facts import Facts

EXAMPLES = int(os.environ.get("ONFILE_EXAMPLES", "200"))
"""A few hundred find what is broken; a soak tries tens of thousands."""

SOAKING = "ONFILE_EXAMPLES" in os.environ

MOST_OPERATIONS = 12
TIES = (0.0, 0.3, 0.8, 1.0)

WORLDS = (
    World("plain"),
    World("over two seconds", over_two_seconds=0.5),
    World("embedded lists", embeds=True),
    World("told twice", twice=True),
    World("two API versions", renderings=True),
    World("mixed", over_two_seconds=0.3, embeds=True, twice=True, renderings=True),
)

PROMOTION_UNTOLD = tuple(
    replace(world, name=f"{world.name}, promotion not told", promotion_told=False)
    for world in WORLDS
)

searched = settings(max_examples=EXAMPLES, deadline=None)
"""How hypothesis tries a property over histories."""

chances = st.randoms(use_true_random=False)


class History(NamedTuple):
    """What a model of Stripe did, and the facts of the events it told, in its own order."""

    stripe: Stripe
    facts: list[Facts]


def lived(chance: Random, world: World, *, most: int = MOST_OPERATIONS) -> History:
    """Return a history: in every world all shares of ties."""
    stripe = Stripe(chance, replace(world, ties=chance.choice(TIES)))
    stripe.live(chance.randrange(1, most + 1))
    return History(stripe, [facts_told(body) for body in stripe.bodies()])


def histories(world: World) -> Iterator[tuple[str, Random, History]]:
    """Return histories that are the same ones each time, each with its seed's name."""
    for number in range(EXAMPLES):
        seed = f"{world.name} {number}"
        chance = Random(seed)  # noqa: S311 - an example, no secret
        yield seed, chance, lived(chance, world)


def delivered(chance: Random, facts: Sequence[Facts]) -> list[list[Facts]]:
    """Return facts in any order, some of them again, in batches of any size."""
    told = [*facts, *(fact for fact in facts if chance.random() < 0.3)]
    chance.shuffle(told)
    batches: list[list[Facts]] = [[]]
    for fact in told:
        if chance.random() < 0.4:
            batches.append([])
        batches[-1].append(fact)
    return batches
