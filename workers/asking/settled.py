"""Ask Stripe about one customer: late enough to be sure, and in the rendering of its webhooks."""

from typing import Any

import redis

from service.compression import UnreadableError
from service.event_types import READ_TYPE
from service.keys import LOG, Namespace
from service.log.entry import read_entry
from service.projection import Projection
from service.settings import Settings
from workers.algebra.objects import fields_of, text_of
from workers.asking.api import READS_PER_SECOND, StripeApi
from workers.asking.known import known
from workers.asking.lists import read_events
from workers.asking.reads import Read, read_customer

LOOKED_AT_ENTRIES = 200

PATIENCE_SECONDS = 5.0
"""For Stripe's clock to pass what is known. Test clocks may be years ahead: nobody waits for those,
and such a read is outdone by what was told before it."""

MARGIN_SECONDS = 0.05

SETTLING_TRIES = 3
"""Of a customer that changes every second a read is as good as an event of the same second."""


def open_api(
    settings: Settings,
    log: redis.Redis,
    namespace: Namespace,
    *,
    per_second: float = READS_PER_SECOND,
) -> StripeApi:
    """Return Stripe's API, set to render objects as the newest event here was rendered.

    Otherwise every answer would differ from Stripe's wherever two versions render differently.

    Raises:
        StripeReadError: there is no key, or Stripe cannot be asked.

    """
    version = _version_in_log(log, namespace)
    api = StripeApi(settings, namespace, api_version=version, per_second=per_second)
    if version:
        return api
    events, _ = next(read_events(api, limit=1))
    if events and (version := _version(bytes(events[0]))):
        return StripeApi(settings, namespace, api_version=version, per_second=per_second)
    return api


def read_settled(api: StripeApi, projection: Projection, customer: str) -> Read:
    """Return a read whose second is later than anything known of the customer, if waiting helps.

    In the same second as an event a read could not be told from what came before it.

    Raises:
        NotFoundError: Stripe knows no such customer under this key.
        StripeReadError: Stripe is away.

    """
    for _ in range(SETTLING_TRIES):
        (before,) = known(projection, api.namespace, [customer])
        wait_past(api, before.second)
        read = read_customer(api, customer, before.attached)
        (after,) = known(projection, api.namespace, [customer])
        early = after.second + 1 - read.second
        if early <= 0 or early > PATIENCE_SECONDS:
            break
    return read


def wait_past(api: StripeApi, *seconds: int) -> None:
    """Return when Stripe's clock has passed these seconds, but for those that are far ahead."""
    now = api.now()
    waits = [second + 1 - now for second in seconds]
    wait = max((one for one in waits if one <= PATIENCE_SECONDS), default=0.0)
    if wait > 0:
        api.wait(wait + MARGIN_SECONDS)


def _version_in_log(log: redis.Redis, namespace: Namespace) -> str:
    items: Any = log.xrevrange(LOG, count=LOOKED_AT_ENTRIES)
    for entry in map(read_entry, items):
        if entry.namespace == namespace and entry.type != READ_TYPE:
            try:
                version = _version(entry.body)
            except UnreadableError:
                continue
            if version:
                return version
    return ""


def _version(event: bytes) -> str:
    return text_of((fields_of(event) or {}).get("api_version"))
