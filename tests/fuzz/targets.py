"""What reads a stranger's bytes before anything of them is trusted, each as a function of bytes.

A target returns, whatever it is given; it raises only what is a bug.
"""

import contextlib
from collections.abc import Callable, Mapping

from service.drop import Drop
from service.event import NotAnEventError, read_event
from service.personal_fields import GROUPS
from service.signature import SignatureError, match, sign
from service.web.api_keys import ApiKeys
from service.web.errors import RefusalError
from service.web.freshness import matches
from service.web.parameters import read_listing, read_parameters
from service.web.queries import LISTING, OF_LIST
from service.web.read_your_write import read_wait

SECRET = "whsec_fuzz"
NOW = 1_700_000_000.0
DROP = Drop(GROUPS)
REASONS = {
    "missing_header",
    "malformed_header",
    "no_expected_scheme",
    "no_valid_signature",
    "timestamp_outside_tolerance",
}
KEYS = ApiKeys(["sk_test_fuzzfuzzfuzzfuzz", "sk_live_fuzzfuzzfuzzfuzz"])


def signature(data: bytes) -> None:
    """Nobody gets in without the secret."""
    try:
        match(b"{}", data.decode("latin-1"), ["whsec_other", SECRET], now=NOW)
    except SignatureError as error:
        assert error.reason in REASONS
    else:
        assert sign(b"{}", SECRET, now=NOW).partition("v1=")[2].encode() in data


def event(data: bytes) -> None:
    """A body is an event or is refused by name."""
    try:
        found = read_event(data)
    except NotAnEventError as error:
        assert error.reason.isidentifier()
    else:
        assert found.id.isascii()


def dropped(data: bytes) -> None:
    """What is dropped once is dropped, and of an event it is the same event."""
    try:
        bare = DROP(data)
    except NotAnEventError as error:
        assert error.reason in {"not_json", "too_deep"}
        return
    assert DROP(bare) == bare
    with contextlib.suppress(NotAnEventError):
        assert read_event(bare).id == read_event(data).id


def query_string(data: bytes) -> None:
    """A query string is read or refused by the parameter's name."""
    try:
        parameters = read_parameters(data, LISTING, OF_LIST)
        listing = read_listing(parameters.values)
    except RefusalError as error:
        assert error.message
    else:
        assert 1 <= listing.limit <= 100


def api_key(data: bytes) -> None:
    """Nobody gets in without a key."""
    authorization, _, account = data.partition(b"\n")
    try:
        found = KEYS.namespace({b"authorization": authorization, b"stripe-account": account})
    except RefusalError as error:
        assert error.message
    else:
        assert found.mode in {"test", "live"}
        scheme = authorization.decode("latin-1").strip().lower()
        assert b"fuzzfuzz" in authorization or scheme.startswith("basic ")


def prefer(data: bytes) -> None:
    """A wait has an end."""
    try:
        seconds = read_wait([(b"prefer", line) for line in data.split(b"\n")])
    except RefusalError as error:
        assert error.param == "Prefer"
    else:
        assert seconds is None or 0 <= seconds <= 10


def etag(data: bytes) -> None:
    """An ETag is known or not."""
    assert matches(data, b'"abc"') in {True, False}


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (signature, event, dropped, query_string, api_key, prefer, etag)
}

SEEDS: Mapping[str, bytes] = {
    "signature": b"t=1700000000,v1=" + b"0" * 64 + b",v0=x",
    "event": b'{"id":"evt_1","object":"event","type":"customer.updated","created":1,'
    b'"data":{"object":{"id":"cus_1","object":"customer"},"previous_attributes":{"a":null}}}',
    "dropped": b'{"id":"evt_1","object":"event","type":"source.chargeable","data":{"object":{'
    b'"id":"src_1","owner":{"email":"a@b.c","address":{"city":"Ulm"}},"metadata":{"name":"x"},'
    b'"\\u006eame":"y"}}}',
    "query_string": b"limit=10&expand[]=total_count&starting_after=card_1&object=card",
    "api_key": b"Basic c2tfdGVzdF9mdXp6ZnV6emZ1enpmdXp6Og==\nacct_1",
    "prefer": b'respond-async, wait="5"',
    "etag": b'W/"abc", *',
}
"""One good input each, from which others are made."""
