"""The web application: whose is which URL, which status is which exception, what is closed."""

import asyncio
import gc
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from service import sealing
from service.compression import LackingError
from service.log.intake import Intake
from service.projection_reads import ProjectionReads
from service.settings import Settings
from service.stores import ProjectionStore, StoreAwayError, connect_async
from service.timeline import Tell
from service.web import errors, queries
from service.web.api_keys import AccountError, ApiKeyError, ApiKeys
from service.web.front import WEBHOOK_PATH, Front
from service.web.health import Health
from service.web.metrics import Metrics
from service.web.openapi import openapi
from service.web.parameters import ParameterError
from service.web.query import Desk, Query
from service.web.read_your_write import ProjectionBehindError
from service.web.rotation import Reread, Rotation
from service.web.shapes import MissingError
from service.web.timelines import PAGING, Timelines
from service.web.webhook import Webhook
from service.web.wrong_keys import TooManyWrongKeysError, WrongKeys

log = structlog.get_logger()

GET = ["GET"]

YOUNG_OBJECTS = 10_000
"""Before Python looks for cycles among them. Requests leave none, and those at work are looked
through each time: the usual 700 are made by some ten of them."""

STATUS_OF = {
    ParameterError: 400,
    AccountError: 400,
    ApiKeyError: 401,
    TooManyWrongKeysError: 429,
    MissingError: 404,
    ProjectionBehindError: 504,
}

EXCEPTION_HANDLERS: dict[type[Exception], errors.Handler] = {
    **{refusal: errors.refused(status) for refusal, status in STATUS_OF.items()},
    StoreAwayError: errors.store_away,
    LackingError: errors.lacking,
    HTTPException: errors.unrouted,
    Exception: errors.bug,  # Starlette answers with it and raises again: the server logs it
}


def create_app(settings: Settings, tell: Tell, reread: Reread | None = None) -> Starlette:
    """Return the web application; its stores are opened at first use and closed at the end.

    `tell` makes a customer's timeline, for which it takes what only the workers know; `reread`
    returns the settings as they are now: secrets and keys may change while it runs.
    """
    sealing.use(settings.encryption_keys)
    events = connect_async(settings.redis_url, timeout=settings.store_timeout_seconds)
    commits = connect_async(settings.redis_url, timeout=settings.store_timeout_seconds)
    projection = ProjectionStore(settings.projection_url, timeout=settings.store_timeout_seconds)
    intake = Intake(commits, replicas=settings.replicas)
    reads = ProjectionReads(projection.find, timeout=settings.store_timeout_seconds)
    keys = ApiKeys(settings.api_keys)
    webhook = Webhook(settings, intake)
    wrong_keys = WrongKeys()
    desk = Desk(keys, wrong_keys, reads, events)
    health = Health(events, projection.find)
    metrics = Metrics(settings, wrong_keys, events, projection.find)
    rotation = Rotation(
        settings, reread or (lambda: settings), webhook=webhook, keys=keys, metrics=metrics
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        gc.freeze()  # what is here by now stays: looking through it again cost 7 % of a query
        gc.set_threshold(YOUNG_OBJECTS)
        log.info("web.ready", host=settings.host, port=settings.port)
        rotating = asyncio.create_task(rotation.run())
        looking = asyncio.create_task(health.tell_what_is_away())
        yield
        rotating.cancel()
        looking.cancel()
        await intake.close()
        await projection.aclose()
        for store in (commits, events):
            await store.aclose()
        log.info("web.stopped")

    app = Front(
        webhook=webhook,
        # The router tries them in this order: the hot ones first.
        routes=[
            _but_search(
                Route(
                    "/v1/customers/{customer}",
                    Query(desk, queries.customer, expandable=queries.OF_CUSTOMER),
                    methods=GET,
                )
            ),
            Route(
                "/v1/customers/{customer}/sources",
                Query(
                    desk,
                    queries.customer_sources,
                    known=queries.LISTING,
                    expandable=queries.OF_LIST,
                ),
                methods=GET,
            ),
            Route(
                "/v1/customers/{customer}/default_source",
                Query(desk, queries.default_source),
                methods=GET,
            ),
            Route(
                "/v1/customers/{customer}/sources/{id}",
                Query(desk, queries.customer_source, expandable=queries.OF_LISTED),
                methods=GET,
            ),
            Route(
                "/v1/customers/{customer}/timeline",
                Query(desk, Timelines(tell), known=PAGING),
                methods=GET,
            ),
            Route(
                "/v1/sources/{source}",
                Query(desk, queries.source, known=queries.CLIENT_SECRET),
                methods=GET,
            ),
            Route("/healthz", health.alive, methods=GET),
            Route("/readyz", health.ready, methods=GET),
            Route("/metrics", metrics.show, methods=GET),
            Route("/openapi.json", openapi, methods=GET),
            Route(WEBHOOK_PATH, webhook, methods=["POST"]),  # for what is no POST
        ],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # Stripe answers 404; its clients follow no redirect
    return app


def _but_search(route: Route) -> Route:
    """Let the route of a customer leave alone what is none: Stripe searches at that URL."""
    pattern = route.path_regex.pattern.replace("[^/]+", "(?!search$)[^/]+")
    route.path_regex = re.compile(pattern)
    return route
