"""The usual way: one RQ job for each event, with the event in it. What Onfile is compared with."""

import os
from functools import cache

from service import stores
from service.event import Event, read_event
from service.projection import Projection
from workers import apply as applying
from workers.handlers import facts_of

NAME = "tests.benchmarks.job_an_event.apply"
"""Under which a queue holds it."""


def apply(body: str) -> None:
    """Apply one event, with all that Onfile's own rounds do for it."""
    event = read_event(body.encode())
    assert isinstance(event, Event)
    applying.apply(_projection(), [applying.Told(event.id, event.namespace, facts_of(event))])


@cache
def _projection() -> Projection:
    return Projection(stores.connect_projection(os.environ["REDIS_URL"]))
