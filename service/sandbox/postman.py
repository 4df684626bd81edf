"""The postman: carries one delivery to an endpoint over HTTP and brings back the status.

Blocking, to be called in threads. The standard library suffices: one small request a time, no
redirect followed, connections kept and used again.
"""

import contextlib
import http.client
from threading import Lock
from urllib.parse import urlsplit

from service.sandbox.endpoints import Endpoint

TIMEOUT_SECONDS = 10.0
NO_ANSWER = 0

Connection = http.client.HTTPConnection


class Postman:
    """Open connections, by endpoint."""

    def __init__(self, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._timeout = timeout
        self._idle: dict[str, list[Connection]] = {}
        self._lock = Lock()

    def deliver(self, endpoint: Endpoint, body: bytes, *, now: float) -> int:
        """Return the HTTP status of a signed POST, or 0 when there was no answer."""
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Cache-Control": "no-cache",
            "Stripe-Signature": endpoint.signature(body, now=now),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        if connection := self._kept(endpoint.url):
            with contextlib.suppress(ConnectionError):  # it had gone stale meanwhile
                return self._post(connection, endpoint.url, body, headers)
        try:
            return self._post(self._new(endpoint.url), endpoint.url, body, headers)
        except ConnectionError:
            return NO_ANSWER

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for connections in self._idle.values():
                while connections:
                    connections.pop().close()

    def _post(self, connection: Connection, url: str, body: bytes, headers: dict[str, str]) -> int:
        """Return the status; raises ConnectionError when the other side hung up."""
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST", target, body, headers)
            answer = connection.getresponse()
            answer.read()
        except ConnectionError:
            connection.close()
            raise
        except (OSError, http.client.HTTPException):  # too late, or no HTTP
            connection.close()
            return NO_ANSWER
        if answer.will_close:
            connection.close()
        else:
            with self._lock:
                self._idle.setdefault(url, []).append(connection)
        return answer.status

    def _kept(self, url: str) -> Connection | None:
        with self._lock:
            connections = self._idle.get(url)
            return connections.pop() if connections else None

    def _new(self, url: str) -> Connection:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else Connection
        return kind(parts.hostname or "", parts.port, timeout=self._timeout)
