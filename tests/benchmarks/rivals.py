"""What Onfile's web process is compared with: bare endpoints, and the usual way with RQ.

Run as a process of its own: `python -m tests.benchmarks.rivals PORT`, with REDIS_URL set.
"""

import os
import sys
from functools import cache

import redis
import stripe
import uvicorn
from rq import Queue
from rq.serializers import JSONSerializer
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.benchmarks import job_an_event
from tests.benchmarks.processes import SECRET

JSON = "application/json"
RECEIVED = b'{"received":true}'


async def read_body(request: Request) -> Response:
    """Read the body and answer: what any webhook costs on this server."""
    await request.body()
    return Response(RECEIVED, media_type=JSON)


async def so_many_bytes(request: Request) -> Response:
    """Answer as many bytes as asked for: what any query costs on this server."""
    return Response(_bytes(request.path_params["number"]), media_type=JSON)


async def usual_way(request: Request) -> Response:
    """Verify with Stripe's own library and enqueue a job, as its guides show it, in a thread."""
    body = await request.body()
    signature = request.headers["stripe-signature"]
    await run_in_threadpool(_enqueue, body, signature)
    return Response(RECEIVED, media_type=JSON)


def _enqueue(body: bytes, signature: str) -> None:
    stripe.Webhook.construct_event(body, signature, SECRET)
    _queue().enqueue(job_an_event.NAME, body.decode())


@cache
def _bytes(number: str) -> bytes:
    return b"x" * int(number)


@cache
def _queue() -> Queue:
    connection = redis.Redis.from_url(os.environ["REDIS_URL"])
    return Queue("usual", connection=connection, serializer=JSONSerializer)


def _app() -> Starlette:
    return Starlette(
        routes=[
            Route("/bytes/{number}", so_many_bytes),
            Route("/bare", read_body, methods=["POST"]),
            Route("/usual", usual_way, methods=["POST"]),
        ]
    )


if __name__ == "__main__":
    uvicorn.run(
        _app(),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
    )
