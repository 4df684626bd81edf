"""The web application without a server: requests go to it in this process."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import Message


class Answer(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes


async def request(  # noqa: PLR0913, PLR0917 - a request has these parts
    app: "Starlette",
    method: str,
    path: str,
    query: bytes = b"",
    headers: Iterable[tuple[bytes, bytes]] = (),
    body: bytes = b"",
) -> Answer:
    """Return the answer; what the application does not foresee is raised here."""
    said: list[Message] = []

    async def receive() -> "Message":
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: "Message") -> None:
        said.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "root_path": "",
        "query_string": query,
        "headers": list(headers),
        "client": ("192.0.2.1", 1),
        "server": ("127.0.0.1", 8000),
    }
    await app(scope, receive, send)
    start, *rest = said
    content = b"".join(piece.get("body", b"") for piece in rest)
    return Answer(start["status"], dict(start["headers"]), content)


@contextmanager
def running(app: "Starlette") -> Iterator[asyncio.Runner]:
    """Run an application's lifespan until the block is left; yields the loop it runs on."""
    with asyncio.Runner() as runner:
        lifespan = app.router.lifespan_context(app)
        runner.run(lifespan.__aenter__())
        try:
            yield runner
        finally:
            runner.run(lifespan.__aexit__(None, None, None))
