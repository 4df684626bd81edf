"""Which webhook secret signed the deliveries, so that a rotation can be brought to its end.

While a secret is being rolled Stripe signs with the old and the new one. The old one is needed for
as long as a delivery comes that no other configured secret fits. Secrets are told apart by a short
fingerprint, and are themselves never kept.
"""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
import redis

from service.keys import SECRETS
from service.watch.side_notes import SideNotes

FINGERPRINT_CHARACTERS = 8
"""Enough to tell a few secrets apart, and no help in guessing one of a hundred random bits."""

CONFIGURED_SECONDS = 60.0
"""Every delivery notes all secrets of its process: one not noted for so long has been removed."""

_POSITION, _SEEN, _MATCHED, _NEEDED = "position", "seen", "matched", "needed"


class SecretUse:
    """Notes for one web process which of its secrets signed what it was sent."""

    def __init__(self, secrets: Sequence[str], notes: SideNotes) -> None:
        names = [fingerprint(secret) for secret in secrets]
        self._positions = {f"{name} {_POSITION}": place for place, name in enumerate(names, 1)}
        seen = [f"{name} {_SEEN}" for name in names]
        self._matched = [(*seen, f"{name} {_MATCHED}") for name in names]
        self._needed = [(*seen, f"{name} {_MATCHED}", f"{name} {_NEEDED}") for name in names]
        self._notes = notes

    def matched(self, index: int, now: float, *, alone: bool) -> None:
        """Note that a delivery was signed with this secret, and with no other if `alone`."""
        moments = (self._needed if alone else self._matched)[index]
        self._notes.note(SECRETS, self._positions | dict.fromkeys(moments, now))


class WebhookSecret(msgspec.Struct, frozen=True):
    """A webhook secret, and when it was of use; times in unix seconds, None for never."""

    fingerprint: str
    position: int
    """In the setting, from 1."""
    configured: bool
    """Whether the web processes still know it."""
    matched: float | None
    """When a delivery was last signed with it."""
    needed: float | None
    """When a delivery was last signed with it and with no other secret that is configured."""


def fingerprint(secret: str) -> str:
    """Return what tells this secret apart."""
    return hashlib.sha256(secret.encode()).hexdigest()[:FINGERPRINT_CHARACTERS]


def webhook_secrets(client: redis.Redis) -> list[WebhookSecret]:
    """Return what is noted of every secret, the one that matched last first."""
    return read_secrets(msgspec.convert(client.hgetall(SECRETS), dict[bytes, bytes]))


def read_secrets(fields: Mapping[bytes, bytes]) -> list[WebhookSecret]:
    """Return the same out of the fields of SECRETS."""
    noted: dict[str, dict[str, float]] = {}
    for field, value in fields.items():
        name, _, what = field.decode().partition(" ")
        noted.setdefault(name, {})[what] = float(value)
    last = max((moments.get(_SEEN, 0.0) for moments in noted.values()), default=0.0)
    known = [
        WebhookSecret(
            fingerprint=name,
            position=int(moments.get(_POSITION, 0)),
            configured=moments.get(_SEEN, 0.0) > last - CONFIGURED_SECONDS,
            matched=moments.get(_MATCHED),
            needed=moments.get(_NEEDED),
        )
        for name, moments in noted.items()
    ]
    return sorted(known, key=lambda secret: secret.matched or 0.0, reverse=True)
