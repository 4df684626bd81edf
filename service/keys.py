"""Where everything lies in the store: the one list of key names, and the namespaces they part."""

from typing import NamedTuple
from zlib import crc32

import msgspec

LOG = "onfile:log"
"""The event log: a stream, one entry an event; its consumer group says what is pending."""

LOG_COPY = "onfile:log:copy"
"""The log while it is written anew (service/log/rewrite.py)."""

GROUP = "workers"
"""The consumer group of log and replay queue: what a worker was given and has not yet applied."""

RETRIES = "onfile:retries"
"""Hash, entry id -> what went wrong so far, for events that have failed at least once."""

FAILED = "onfile:failed"
"""Sorted set, entry id -> when it failed for good: those of RETRIES that nobody tries again."""

DISCARDED = "onfile:discarded"
"""Hash, entry id -> its history, for events that an operator has given up."""

OVERCOME = "onfile:overcome"
"""Hash, entry id -> its history, for events that were applied after they had failed."""

COUNTERS = "onfile:counters"
"""Hash, name -> how often: accepted, duplicate; settled and discarded (see standing); and
the outcomes applied, unchanged, ignored, failed, which count every attempt."""

METERS = "onfile:meters"
"""Hash, name and labels -> how often or how long (see meters): for /metrics alone."""

HALT = "onfile:halt"
"""JSON, there while the workers take no events because nearly all of them fail."""

REPLAY = "onfile:replay"
"""The replay queue: a stream, one item for each entry of the log to be applied again."""

REPLAYED = "onfile:replayed"
"""Hash, outcome -> how often replayed events came to it, ever."""

REPLAY_HALT = "onfile:replay:halt"
"""As HALT, while nothing is replayed because nearly all that is replayed fails."""

SECRETS = "onfile:secrets"
"""Hash, "<fingerprint> <what>" -> when or where, for each webhook secret (see secret_use)."""

DOUBTS = "onfile:doubts"
"""Hash, "<mode>:<account>:<customer>" -> "<version> <what>", for each ambiguous answer."""

CATCH_UPS = "onfile:catch-ups"
"""Hash, "<mode>:<account>" -> JSON: until when Stripe's events are known to be here, and how far a
catch-up under way has come."""

BACKFILLS = "onfile:backfills"
"""Hash, "<mode>:<account>" -> JSON: how far a backfill under way has come."""

ASKING = "onfile:asking"
"""There while some worker asks Stripe about doubts, and for a pause after it; expires by itself."""

FORGOTTEN = "onfile:forgotten"
"""Set, "<mode>:<account>:<id>", of customers that were forgotten and of what was their own."""

REENCRYPTED = "onfile:reencrypted"
"""JSON: under which key all that is stored was once found to be, and when."""

IGNORED = "onfile:ignored"
"""Hash, event type -> how many of that type came, for the types that are not projected."""

FOREIGN = "onfile:foreign:"
"""Before the name of a key of RQ's: what lay there and was of another type (workers/litter.py)."""

PROBE = "onfile:probe"
"""Written by /readyz to see whether the store takes writes; expires by itself."""

CUSTOMER_KEYS = "onfile:c:*"
SOURCE_KEYS = "onfile:s:*"
"""Patterns of the documents' keys."""

INDEX_BUCKETS = 16_384
"""Small hashes are stored packed: at a million events a bucket holds some sixty ids."""

QUEUE = "events"
REPLAY_QUEUE = "replay"
DRAIN_JOB = "workers.jobs.drain"
APPLY_JOB = "workers.jobs.apply"
REPLAY_JOB = "workers.jobs.replay"
"""The queue is given its jobs by their dotted names: the web never imports the workers."""


class Namespace(msgspec.Struct, frozen=True, order=True):
    """An account (empty for the platform's own) and a mode; objects of two never mix."""

    account: str
    mode: str

    @property
    def text(self) -> str:
        """The namespace as it stands in keys and log lines."""
        return f"{self.mode}:{self.account}"


class Subject(NamedTuple):
    """A customer, a source or another object of Stripe's, in its namespace."""

    namespace: Namespace
    id: str


def index_bucket(key: str) -> str:
    """Return the hash that indexes an event id or a request id."""
    return f"onfile:index:{crc32(key.encode()) % INDEX_BUCKETS}"


def customer_key(namespace: Namespace, customer_id: str) -> str:
    """Return the key of a customer's document; the braces keep it in one cluster slot."""
    return f"onfile:c:{{{namespace.text}:{customer_id}}}"


def source_key(namespace: Namespace, source_id: str) -> str:
    """Return the key of a source's document."""
    return f"onfile:s:{{{namespace.text}:{source_id}}}"


def subject_of(key: str) -> Subject:
    """Return whom a document's key is about."""
    mode, account, subject = key.partition("{")[2].removesuffix("}").split(":", 2)
    return Subject(Namespace(account=account, mode=mode), subject)


def mentions_key(namespace: Namespace, subject_id: str) -> str:
    """Return the key that says which entries of the log told of a customer or a source."""
    return f"onfile:m:{namespace.text}:{subject_id}"
