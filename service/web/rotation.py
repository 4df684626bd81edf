"""Secrets and keys that change while the process runs: what holds them is read again and again.

So a secret is rolled without a restart: the new one is added to its file, later the old one taken
out. All other settings are for the next start.
"""

import asyncio
from collections.abc import Callable

import structlog

from service import sealing
from service.settings import Settings, SettingsError
from service.watch import logs
from service.web.api_keys import ApiKeys
from service.web.metrics import Metrics
from service.web.webhook import Webhook

LOOK_SECONDS = 1.0

Reread = Callable[[], Settings]

log = structlog.get_logger()


class Rotation:
    """Puts new secrets into force, and keeps the old ones as long as the new are refused."""

    def __init__(
        self,
        settings: Settings,
        reread: Reread,
        *,
        webhook: Webhook,
        keys: ApiKeys,
        metrics: Metrics,
    ) -> None:
        """`reread` returns the settings as they are now, or raises SettingsError."""
        self._reread = reread
        self._webhook = webhook
        self._keys = keys
        self._metrics = metrics
        self._in_force = _secrets(settings)
        self._seen = self._in_force
        self._refused: list[str] = []

    async def run(self) -> None:
        """Look, for ever; in a thread, since a file may lie on a network."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                settings = await asyncio.to_thread(self._reread)
            except SettingsError as refused:
                self._refuse(refused.problems)
            except OSError as error:
                self._refuse([f"The settings cannot be read ({error.strerror})."])
            else:
                self._refused = []
                self.consider(settings)

    def consider(self, settings: Settings) -> None:
        """Put new secrets into force when they are seen twice: a file may be half written."""
        seen, self._seen = self._seen, _secrets(settings)
        if self._seen == self._in_force or self._seen != seen:
            return
        self._in_force = self._seen
        logs.hide(settings.secrets)
        self._webhook.trust(settings.webhook_secrets)
        self._keys.trust(settings.api_keys)
        self._metrics.trust(settings.metrics_key, settings.ops_key)
        sealing.use(settings.encryption_keys)
        log.info(
            "secrets.changed",
            webhook_secrets=len(settings.webhook_secrets),
            api_keys=len(settings.api_keys),
            encryption_keys=sealing.current.key_ids,
        )

    def _refuse(self, problems: list[str]) -> None:
        """Say it once: the old secrets stay in force until it is mended."""
        if problems != self._refused:
            log.error("secrets.refused", problems=problems, advice="the old ones stay in force")
        self._refused = problems


def _secrets(settings: Settings) -> tuple[object, ...]:
    return (
        settings.webhook_secrets,
        settings.api_keys,
        settings.metrics_key,
        settings.ops_key,
        settings.encryption_keys,
    )
