"""What a worker does every few seconds, step by step: what fails holds up nothing else."""

from collections.abc import Callable

import redis
import structlog
from rq.exceptions import StopRequested

from service.settings import Settings
from service.stores import AWAY
from workers import draining, jobs, litter, maintenance
from workers.asking import resolving
from workers.watch import Watch

ENDS = (*AWAY, MemoryError, StopRequested)
"""What no step and no job gets over: it is for the worker's loop, or for its supervisor."""

log = structlog.get_logger()


def may_be_shown(error: Exception) -> bool:
    """Tell whether its traceback may be logged: that of a command to the store shows its values."""
    return not isinstance(error, redis.RedisError)


class Housekeeping:
    """The steps of one worker, and what they remember from one time to the next."""

    def __init__(
        self,
        stores: jobs.Stores,
        rq_client: redis.Redis,
        settings: Settings,
        *,
        register: Callable[[], None],
    ) -> None:
        self._rq_client = rq_client
        log_client, projection = stores
        watch, trimmer = Watch(), maintenance.Trimmer(settings.retention_days)
        resolver, rechecker = resolving.Resolver(settings), maintenance.Rechecker()
        self._steps: dict[str, Callable[[], None]] = {
            "litter": lambda: litter.clear_keys(rq_client),
            "register": register,
            "claims": lambda: watch.age_claims(log_client, draining.STUCK_MILLISECONDS),
            "pending": lambda: maintenance.ring_for_pending(log_client, rq_client, watch),
            "replays": lambda: maintenance.ring_for_replays(log_client),
            "scheduled": lambda: maintenance.enqueue_scheduled(rq_client),
            "retries": lambda: maintenance.enqueue_lost_retries(log_client),
            "trim": lambda: trimmer.run(log_client),
            "doubts": lambda: resolver.run(log_client),
            "recheck": lambda: rechecker.run(log_client, projection),
        }

    def run(self) -> None:
        """Ring for what was left behind, keep the log short, ask about what is in doubt."""
        try:
            for name, step in self._steps.items():
                self.attempt(name, step)
        except AWAY as error:
            log.warning("maintenance.interrupted", reason=type(error).__name__)

    def attempt(self, name: str, step: Callable[[], None]) -> None:
        """Take a step; when it stumbles, take out of RQ's keys what is none of ours."""
        try:
            step()
        except ENDS:
            raise
        except Exception as error:
            told = {"step": name, "reason": type(error).__name__}
            log.exception("maintenance.failed", **told, exc_info=may_be_shown(error))
            litter.clear(self._rq_client)
