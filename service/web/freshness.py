"""How fresh an answer is and how it was reached, in headers; and 304 for who has it already.

All of it is a function of the projected facts, never of the time they came or were written.
If-Modified-Since is not looked at: two answers of one second may differ, and the ETag knows.
"""

from email.utils import formatdate
from functools import lru_cache
from hashlib import blake2b

import msgspec

from service.documents import CustomerAnswer, SourceAnswer

LAST_DATE_SECONDS = 253_402_300_799
"""The end of the year 9999: what lies beyond cannot be written as an HTTP date."""


class Freshness(msgspec.Struct, frozen=True):
    """What the headers of an answer tell about it."""

    second: int
    """The newest second of Stripe's that is in it."""
    event: str
    """The newest event in it; empty when it comes from a read."""
    basis: str
    """How its default source was reached: confirmed, inferred or ambiguous."""
    ambiguous: tuple[str, ...] = ()
    """What events could not decide: default, order, object."""


def of_customer(answer: CustomerAnswer) -> Freshness:
    """Return the freshness of whatever is answered from a customer's document."""
    return Freshness(answer.second, answer.event, answer.basis, tuple(answer.ambiguous))


def of_source(answer: SourceAnswer, basis: str) -> Freshness:
    """Return the freshness of a source; the basis is its owner's."""
    return Freshness(answer.second, answer.event, basis, () if answer.decided else ("object",))


def freshness_headers(fresh: Freshness, etag: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers that go with an answer, and with its 304."""
    headers = [
        (b"etag", etag),
        (b"last-modified", _http_date(fresh.second)),
        (b"onfile-default-basis", fresh.basis.encode()),
        (b"cache-control", b"private, no-cache"),
        (b"vary", b"Authorization, Stripe-Account"),
    ]
    if fresh.event:
        headers.append((b"onfile-event", fresh.event.encode()))
    if fresh.ambiguous:
        headers.append((b"onfile-ambiguous", ", ".join(fresh.ambiguous).encode()))
    return headers


def etag_of(body: bytes) -> bytes:
    """Return the strong entity tag of a body."""
    return b'"%b"' % blake2b(body, digest_size=16).hexdigest().encode()


def matches(if_none_match: bytes, etag: bytes) -> bool:
    """Say whether an If-None-Match header names this tag; weak tags compare as well (RFC 9110)."""
    if if_none_match.strip() == b"*":
        return True
    return any(tag.strip().removeprefix(b"W/") == etag for tag in if_none_match.split(b","))


@lru_cache(maxsize=4096)
def _http_date(second: int) -> bytes:
    return formatdate(min(max(second, 0), LAST_DATE_SECONDS), usegmt=True).encode()
