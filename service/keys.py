"""Where everything lies in the store: the one list of key names, and the namespaces they part."""

from zlib import crc32

import msgspec

LOG = "onfile:log"
"""The event log: a stream, one entry an event; its consumer group says what is pending."""

GROUP = "workers"
"""The consumer group of the log: what was delivered to which worker and not yet applied."""

RETRIES = "onfile:retries"
"""Hash, entry id -> what went wrong so far, for events that have failed at least once."""

FAILED = "onfile:failed"
"""Sorted set, entry id -> when it failed for good: those of RETRIES that nobody tries again."""

DISCARDED = "onfile:discarded"
"""Hash, entry id -> its history, for events that an operator has given up."""

OVERCOME = "onfile:overcome"
"""Hash, entry id -> its history, for events that were applied after they had failed."""

COUNTERS = "onfile:counters"
"""Hash, name -> how often: accepted, duplicate; settled and discarded (service/standing.py); and
the outcomes applied, unchanged, ignored, failed, which count every attempt."""

METERS = "onfile:meters"
"""Hash, name and labels -> how often or how long (see meters): for /metrics alone."""

HALT = "onfile:halt"
"""JSON, there while the workers take no events because nearly all of them fail."""

SECRETS = "onfile:secrets"
"""Hash, "<fingerprint> <what>" -> when or where, for each webhook secret (see secret_use)."""

DOUBTS = "onfile:doubts"
"""Hash, "<mode>:<account>:<customer>" -> "<version> <what>", for each ambiguous answer."""

IGNORED = "onfile:ignored"
"""Hash, event type -> how many of that type came, for the types that are not projected."""

PROBE = "onfile:probe"
"""Written by /readyz to see whether the store takes writes; expires by itself."""

INDEX_BUCKETS = 16_384
"""Small hashes are stored packed: at a million events a bucket holds some sixty ids."""

QUEUE = "events"
DRAIN_JOB = "workers.jobs.drain"
APPLY_JOB = "workers.jobs.apply"
"""The queue is given its jobs by their dotted names: the web never imports the workers."""


class Namespace(msgspec.Struct, frozen=True, order=True):
    """An account (empty for the platform's own) and a mode; objects of two never mix."""

    account: str
    mode: str

    @property
    def text(self) -> str:
        """The namespace as it stands in keys and log lines."""
        return f"{self.mode}:{self.account}"


def index_bucket(key: str) -> str:
    """Return the hash that indexes an event id or a request id."""
    return f"onfile:index:{crc32(key.encode()) % INDEX_BUCKETS}"


def customer_key(namespace: Namespace, customer_id: str) -> str:
    """Return the key of a customer's document; the braces keep it in one cluster slot."""
    return f"onfile:c:{{{namespace.text}:{customer_id}}}"


def source_key(namespace: Namespace, source_id: str) -> str:
    """Return the key of a source's document."""
    return f"onfile:s:{{{namespace.text}:{source_id}}}"
