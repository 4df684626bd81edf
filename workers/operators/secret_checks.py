"""The doctor's look at the secrets: whether they guard anything, and whether one may go."""

import time
from collections.abc import Collection, Mapping

from service.settings import Settings
from service.watch.secret_use import WebhookSecret
from workers.operators.door_checks import is_loopback
from workers.operators.finding import Finding, advice, ok, trouble

SHORT_CHARACTERS = 16
"""After its prefix; a shorter one can be guessed, or stood in a tutorial."""

DAY_SECONDS = 86_400.0
"""Stripe signs with an old secret for at most a day after it was rolled."""


def secret_findings(
    settings: Settings, made: Collection[str], noted: list[WebhookSecret]
) -> list[Finding]:
    """Return what can be said of the secrets.

    Args:
        settings: of this process; those of the web processes should be the same.
        made: the secrets that `onfile up` made for development.
        noted: what the web processes noted of the webhook secrets.

    """
    return [_development(settings, made), _rotation(noted)]


def _development(settings: Settings, made: Collection[str]) -> Finding:
    check = "secrets"
    named = _by_setting(settings)
    weak = sorted({name for name, secret in named if secret in made or _is_short(secret)})
    if not named:
        return advice(
            check,
            "This command knows none of the service's secrets, so it cannot judge them.",
            "Run it with the environment of the web process.",
        )
    if not weak:
        return ok(check, "None was made for development, and none is short.")
    open_doors = [
        name
        for name, reachable in {
            f"the web listens on {settings.host}": not is_loopback(_as_url(settings.host)),
            "the event log is on another machine": not is_loopback(settings.redis_url),
            "the projection is on another machine": not is_loopback(settings.projection_url),
        }.items()
        if reachable
    ]
    if not open_doors:
        return ok(check, f"Made for development, and used on this machine only: {', '.join(weak)}.")
    return trouble(
        check,
        f"{', '.join(weak)}: made for development, or too short; and {', '.join(open_doors)}.",
        "Copy the webhook secret from Stripe's dashboard, make long random keys for all others, "
        "and set them in the environment of every process.",
    )


def _rotation(noted: list[WebhookSecret]) -> Finding:
    check = "webhook_secrets"
    configured = [secret for secret in noted if secret.configured]
    if len(configured) < 2:  # noqa: PLR2004 - several
        return ok(check, "One is in use." if configured else "No delivery has come yet.")
    latest = max(secret.matched or 0.0 for secret in configured)
    idle = [s for s in configured if (s.matched or 0.0) < latest - DAY_SECONDS]
    if not idle:
        return ok(check, "Each of them has signed something within the last day: keep them.")
    which = ", ".join(f"number {s.position} (fingerprint {s.fingerprint})" for s in idle)
    last = max((s.matched for s in idle if s.matched), default=None)
    ago = f"for {(time.time() - last) / DAY_SECONDS:.0f} days" if last else "ever"
    return advice(
        check,
        f"Webhook secret {which} has signed nothing {ago}, while another one has.",
        "The rotation is over: take it out of STRIPE_WEBHOOK_SECRET, and restart the web processes "
        "unless that is a file.",
    )


def _by_setting(settings: Settings) -> list[tuple[str, str]]:
    several: Mapping[str, tuple[str, ...]] = {
        "STRIPE_WEBHOOK_SECRET": settings.webhook_secrets,
        "ONFILE_API_KEYS": settings.api_keys,
        "ONFILE_OPS_KEY": (settings.ops_key,) if settings.ops_key else (),
        "ONFILE_METRICS_KEY": (settings.metrics_key,) if settings.metrics_key else (),
    }
    return [(name, secret) for name, secrets in several.items() for secret in secrets]


def _is_short(secret: str) -> bool:
    return len(secret.rpartition("_")[2]) < SHORT_CHARACTERS


def _as_url(host: str) -> str:
    return f"redis://{f'[{host}]' if ':' in host else host}"
