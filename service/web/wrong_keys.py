"""Who tries keys is slowed down: each wrong one from an address is answered later than the last.

A right key is never held up, wherever it comes from: behind a balancer all callers share one
address. What is remembered is bounded, and so is how many are held at a time, for a connection
that waits for us is never closed for another. While as many are held as may be, an address that
tries wrong keys and from which no right one ever came is not told any more whether a key is right:
else many connections at once could try them as fast as they like.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from service.web.errors import RefusalError

FREE_TRIES = 3
"""A person who pastes the wrong key notices nothing."""

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 3.0
FORGOTTEN_SECONDS = 60.0
ADDRESSES = 4096
HELD = 64

IPV6_SUBSCRIBER_BITS = 64
"""Whoever has one address of IPv6 has all that begin like it."""


class TooManyWrongKeysError(RefusalError):
    """So many wrong keys are held that this one was not looked up, or is not held as well."""

    reason = "too_many_wrong_keys"

    def __init__(self) -> None:
        super().__init__(
            "Too many wrong API keys are being tried from your address. Try again in some seconds, "
            "with a right one.",
            code="rate_limit",
            headers={"Retry-After": str(int(LONGEST_PAUSE_SECONDS)), "Connection": "close"},
        )


class WrongKeys:
    """How many wrong keys came lately, by address; for one process, used from its event loop."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._tries: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """The address tried from last stands last."""
        self._right: OrderedDict[str, None] = OrderedDict()
        """Addresses from which a right key came; the newest stands last."""
        self._held = 0
        self._clock = clock

    def admit(self, client: tuple[str, int] | None) -> None:
        """Return when a key from there may be looked up.

        Raises TooManyWrongKeysError when it must not be.
        """
        if self._held < HELD:
            return
        address = client[0] if client else ""
        count, last = self._tries.get(_subscriber(address), (0, 0.0))
        tries_on = count > FREE_TRIES and self._clock() - last < FORGOTTEN_SECONDS
        if tries_on and address not in self._right:
            raise TooManyWrongKeysError

    def was_right(self, client: tuple[str, int] | None) -> None:
        """Note that a right key came from there."""
        address = client[0] if client else ""
        if address not in self._right:
            self._right[address] = None
            if len(self._right) > ADDRESSES:
                self._right.popitem(last=False)

    async def hold(self, client: tuple[str, int] | None) -> None:
        """Return when a wrong key may be answered to whoever is at the connection's other end.

        What a header says of that anybody can say. Raises TooManyWrongKeysError when that would
        hold too many.
        """
        pause = pause_seconds(self._count(_subscriber(client[0] if client else "")))
        if not pause:
            return
        if self._held >= HELD:
            raise TooManyWrongKeysError
        self._held += 1
        try:
            await asyncio.sleep(pause)
        finally:
            self._held -= 1

    def _count(self, subscriber: str) -> int:
        now = self._clock()
        count, last = self._tries.pop(subscriber, (0, now))
        count = count + 1 if now - last < FORGOTTEN_SECONDS else 1
        self._tries[subscriber] = count, now
        if len(self._tries) > ADDRESSES:
            self._tries.popitem(last=False)
        return count


def pause_seconds(tries: int) -> float:
    """Return how long the answer to that many wrong keys in a row is held."""
    beyond = tries - FREE_TRIES
    if beyond <= 0:
        return 0.0
    doublings = min(beyond - 1, 16)  # past any pause, and no number to overflow
    return min(FIRST_PAUSE_SECONDS * 2.0**doublings, LONGEST_PAUSE_SECONDS)


def _subscriber(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:  # a socket in the file system, or none
        return address
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, IPV6_SUBSCRIBER_BITS), strict=False))
    return address
