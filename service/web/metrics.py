"""GET /metrics: the whole service as Prometheus reads it, and what this process uses."""

import asyncio
import hmac
from collections.abc import Iterator

from prometheus_client import ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from redis.asyncio import Redis
from starlette.requests import Request
from starlette.responses import Response

from service.key_digest import digest, digest_of
from service.projection_reads import FindStore
from service.settings import Settings
from service.web.api_keys import ApiKeyError, given_key
from service.web.exposition import of_events, of_stores
from service.web.vitals import Node, projection_nodes, vitals
from service.web.wrong_keys import WrongKeys


class Metrics:
    """The endpoint; whoever has the metrics key or the operators' may read it."""

    def __init__(
        self, settings: Settings, wrong_keys: WrongKeys, events: Redis, find_projection: FindStore
    ) -> None:
        self._wrong_keys = wrong_keys
        self._events = events
        self._find_projection = find_projection
        self._one_store = settings.redis_url == settings.projection_url
        self.trust(settings.metrics_key, settings.ops_key)

    def trust(self, *keys: str | None) -> None:
        """Let these keys in from now on, and no others; None is no key."""
        self._keys = [digest_of(key) for key in keys if key]

    async def show(self, request: Request) -> Response:
        """Answer 200 also while a store is away: `onfile_store_up` says which."""
        await self._admit(request)
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        body = encode(_Told([*await self._metrics(), *_PROCESS.collect()]))
        return Response(body, headers={"Content-Type": media_type, "Cache-Control": "no-store"})

    async def _admit(self, request: Request) -> None:
        client = request.scope["client"]
        self._wrong_keys.admit(client)
        authorization = request.headers.get("authorization", "")
        try:
            given = digest(given_key(authorization.encode("latin-1")))
        except ApiKeyError:
            given = b""
        if not any([hmac.compare_digest(known, given) for known in self._keys]):  # noqa: C419 - each, always
            if given:
                await self._wrong_keys.hold(client)
            raise ApiKeyError(
                "/metrics takes the key of the setting ONFILE_METRICS_KEY (or ONFILE_OPS_KEY), "
                "as in 'Authorization: Bearer KEY'."
            )
        self._wrong_keys.was_right(client)

    async def _metrics(self) -> list[Metric]:
        seen, others = await asyncio.gather(vitals(self._events), self._projection())
        up = {"events": seen is not None}
        if not self._one_store:
            up["projection"] = others is not None
        nodes = [*([seen.node] if seen else []), *(others or [])]
        return [*(of_events(seen) if seen else ()), *of_stores(up, nodes)]

    async def _projection(self) -> list[Node] | None:
        """Return the nodes that hold nothing but the projection."""
        return [] if self._one_store else await projection_nodes(self._find_projection)


class _Told(Collector):
    """What was read, in the form the encoders ask for."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return iter(self._metrics)


_PROCESS = ProcessCollector(registry=None)
