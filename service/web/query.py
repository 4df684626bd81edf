"""The edge around every query: key, parameters, read-your-write, then the answer with its headers.

An ASGI application itself and not a function of a request, which on a hot path costs a tenth.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import structlog
from redis.asyncio import Redis
from starlette.types import Receive, Scope, Send

from service.keys import Namespace
from service.projection_reads import ProjectionReads
from service.web.api_keys import ApiKeys, WrongKeyError
from service.web.errors import new_request_id
from service.web.freshness import Freshness, etag_of, freshness_headers, matches
from service.web.parameters import (
    NOTHING_EXPANDABLE,
    Expandable,
    Parameters,
    read_parameters,
)
from service.web.read_your_write import wait_until_applied
from service.web.wrong_keys import WrongKeys

log = structlog.get_logger()


class Asked(NamedTuple):
    """A query whose key and parameters are in order."""

    reads: ProjectionReads
    namespace: Namespace
    ids: Mapping[str, str]
    """The ids in the path."""
    parameters: Parameters


class Answer(NamedTuple):
    """A body and what is known of its freshness."""

    body: bytes
    freshness: Freshness


Find = Callable[[Asked], Awaitable[Answer]]


class Desk(NamedTuple):
    """What every query needs to be answered."""

    keys: ApiKeys
    wrong_keys: WrongKeys
    reads: ProjectionReads
    log: Redis
    """The store of the event log, for read-your-write."""


class Query:
    """The endpoint of one GET."""

    def __init__(
        self,
        desk: Desk,
        find: Find,
        *,
        known: frozenset[str] = frozenset(),
        expandable: Expandable = NOTHING_EXPANDABLE,
    ) -> None:
        self._desk = desk
        self._find = find
        self.known = known
        self.expandable = expandable

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer a request; whatever is raised goes through the table of exceptions in `app`."""
        headers = dict(scope["headers"])
        wrong_keys, client = self._desk.wrong_keys, scope["client"]
        wrong_keys.admit(client)
        try:
            namespace = self._desk.keys.namespace(headers)
        except WrongKeyError:
            await wrong_keys.hold(client)
            raise
        wrong_keys.was_right(client)
        parameters = read_parameters(scope["query_string"], self.known, self.expandable)
        extra = []
        if b"onfile-after" in headers:
            extra = await wait_until_applied(self._desk.log, namespace, scope["headers"])
        answer = await self._find(
            Asked(self._desk.reads, namespace, scope["path_params"], parameters)
        )
        await _respond(scope["method"], headers.get(b"if-none-match"), answer, extra, send)


async def _respond(
    method: str,
    if_none_match: bytes | None,
    answer: Answer,
    extra: list[tuple[bytes, bytes]],
    send: Send,
) -> None:
    etag = etag_of(answer.body)
    request_id = new_request_id().encode()
    headers = [
        *freshness_headers(answer.freshness, etag),
        (b"request-id", request_id),
        *extra,
    ]
    status, body = 200, answer.body
    if if_none_match is not None and matches(if_none_match, etag):
        status, body = 304, b""
    else:
        headers += [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
        ]
    log.debug("query.answered", status=status, request_id=request_id.decode())
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
