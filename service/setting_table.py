"""The table of settings: what each is called, what it means, who needs it, how its text is read.

Reading the environment, the command line's help and the README's table all come from it. Defaults
stand in `Settings`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from service import setting_values as read
from service.personal_fields import GROUPS

Role = Literal["web", "worker", "operator"]

KIB_BYTES = 1024
MIB_BYTES = 1024 * KIB_BYTES


@dataclass(frozen=True)
class Setting:
    """A row of the table."""

    name: str
    field: str
    """The attribute of `Settings` that holds it."""
    meaning: str
    read: Callable[[str], object]
    needed_by: tuple[Role, ...] = ()
    advice: str = ""
    """What to do when it is needed and not there: the end of a sentence."""
    default_text: str = ""
    """The default in words, where it is no plain value."""
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "REDIS_URL",
        "redis_url",
        "The Redis or Valkey that holds the event log and the queue, or its Sentinels: "
        "redis+sentinel://host1:26379,host2:26379/NAME.",
        read.store_url,
        needed_by=("web", "worker", "operator"),
        advice="give the address of a Redis or Valkey, as redis://localhost:6379/0, or run "
        "`onfile up`, which brings its own store.",
    ),
    Setting(
        "ONFILE_PROJECTION_URL",
        "projection_url",
        "The Redis, Valkey or cluster of either that holds the projection.",
        read.store_url,
        default_text="REDIS_URL",
    ),
    Setting(
        "STRIPE_WEBHOOK_SECRET",
        "webhook_secrets",
        "The signing secret of Stripe's webhook endpoint; several, comma-separated, while rolling.",
        read.webhook_secrets,
        needed_by=("web",),
        advice="copy the signing secret (whsec_…) from the endpoint's page in Stripe's dashboard.",
        secret=True,
    ),
    Setting(
        "ONFILE_API_KEYS",
        "api_keys",
        "Keys that queries may use, comma-separated; `_live_` or `_test_` in a key is its mode; or "
        "their hashes, `sha256:live:HEX` or `sha256:test:HEX`.",
        read.api_keys,
        needed_by=("web",),
        advice="make a key for each reader, like sk_live_ or sk_test_ and 32 random letters.",
        secret=True,
    ),
    Setting(
        "STRIPE_API_KEY",
        "stripe_keys",
        "Stripe's own key, for what reads Stripe: a restricted one (rk_…) that may read Customers, "
        "Sources and Events is enough; one live and one test key, comma-separated, for both modes.",
        read.stripe_keys,
        secret=True,
    ),
    Setting(
        "ONFILE_STRIPE_URL",
        "stripe_url",
        "Where Stripe's API is: a proxy, or a stand-in for Stripe.",
        read.web_url,
    ),
    Setting(
        "ONFILE_OPS_KEY",
        "ops_key",
        "The operators' key: it opens /metrics; their commands need none.",
        read.key_to("replay and repair"),
        secret=True,
    ),
    Setting(
        "ONFILE_METRICS_KEY",
        "metrics_key",
        "The key with which Prometheus reads /metrics; the operators' key opens it too.",
        read.key_to("watch all traffic"),
        secret=True,
    ),
    Setting(
        "ONFILE_ENCRYPTION_KEYS",
        "encryption_keys",
        "Keys that what is stored is encrypted with, comma-separated, each 32 random bytes in "
        "base64: the first encrypts, all decrypt; `none` first stops encrypting.",
        read.encryption_keys,
        secret=True,
    ),
    Setting("ONFILE_HOST", "host", "The address to listen on; 0.0.0.0 for all.", read.host),
    Setting("PORT", "port", "The port to listen on.", read.whole_number(1, 65535)),
    Setting(
        "ONFILE_DROP_FIELDS",
        "drop_fields",
        "Personal fields that are dropped on arrival and never stored, comma-separated: "
        f"{', '.join(GROUPS)}; or all.",
        read.several_of(*GROUPS),
    ),
    Setting(
        "ONFILE_REPLICAS",
        "replicas",
        "How many replicas of `REDIS_URL` must have an event before it is answered with 200.",
        read.whole_number(0, 5),
    ),
    Setting(
        "ONFILE_RETENTION_DAYS",
        "retention_days",
        "How long the event log keeps an event.",
        read.whole_number(1, 3650),
    ),
    Setting(
        "ONFILE_SIGNATURE_TOLERANCE_SECONDS",
        "signature_tolerance_seconds",
        "How old a delivery's signature may be.",
        read.whole_number(1, 86_400),
    ),
    Setting(
        "ONFILE_BODY_LIMIT_BYTES",
        "body_limit_bytes",
        "How large a delivery may be.",
        read.whole_number(1024, 64 * MIB_BYTES),
    ),
    Setting(
        "ONFILE_HEAD_LIMIT_BYTES",
        "head_limit_bytes",
        "How large the URL and the headers of a request may be together.",
        read.whole_number(KIB_BYTES, MIB_BYTES),
    ),
    Setting(
        "ONFILE_CONNECTION_LIMIT",
        "connection_limit",
        "How many connections a web process holds; beyond it a newcomer takes the place of the one "
        "that has kept it waiting the longest.",
        read.whole_number(16, 1_000_000),
    ),
    Setting(
        "ONFILE_CLIENT_TIMEOUT_SECONDS",
        "client_timeout_seconds",
        "How long a client may take to send a request's head, to send its body, and to take the "
        "answer: each.",
        read.seconds(0.1, 3600),
    ),
    Setting(
        "ONFILE_KEEP_ALIVE_SECONDS",
        "keep_alive_seconds",
        "How long a connection may lie idle; longer than the balancer in front keeps one.",
        read.whole_number(1, 3600),
    ),
    Setting(
        "ONFILE_STORE_TIMEOUT_SECONDS",
        "store_timeout_seconds",
        "How long the web process waits for the store before it answers 503.",
        read.seconds(0.05, 60),
    ),
    Setting(
        "ONFILE_LOG_FORMAT",
        "log_format",
        "json, console, or auto: console on a terminal, json elsewhere.",
        read.one_of("auto", "json", "console"),
    ),
    Setting(
        "ONFILE_LOG_LEVEL",
        "log_level",
        "The least level that is logged: debug, info, warning or error.",
        read.one_of("debug", "info", "warning", "error"),
    ),
)
