"""The address of a store whose primary moves: which Sentinels know where it is.

`redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/NAME/DB`: user and password are the store's, and
NAME is what the Sentinels call its primary. `rediss+sentinel` for TLS, to the Sentinels too.
"""

import re
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

PORT = 26379
SCHEMES = frozenset({"redis+sentinel", "rediss+sentinel"})
LOOKS_LIKE = "redis+sentinel://host1:26379,host2:26379/NAME"

_PATH = re.compile(r"/([A-Za-z0-9._-]+)(?:/(\d{0,9}))?")


class Sentinels(NamedTuple):
    """Whom to ask for a primary, and how to connect to it."""

    hosts: list[tuple[str, int]]
    name: str
    credentials: dict[str, Any]
    """What redis-py takes for connections to the store: database, user, password."""
    tls: dict[str, Any]
    """The same for TLS, for connections to Sentinels as well."""


def read(url: str) -> Sentinels | None:
    """Return what an address says of Sentinels; None for one that names the store itself.

    Raises:
        ValueError: it is broken; the message is the end of a sentence about a setting.

    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        return None
    hosts = [_host(place) for place in parts.netloc.rpartition("@")[2].split(",")]
    path = _PATH.fullmatch(parts.path)
    if path is None:
        raise ValueError(
            "names no primary; write after the hosts what the Sentinels call it, and the number "
            f"of a database if it is not 0: {LOOKS_LIKE}/0."
        )
    if parts.query:
        raise ValueError(f"has options, which are not for Sentinels; it must be {LOOKS_LIKE}.")
    given = {"username": parts.username, "password": parts.password}
    return Sentinels(
        hosts=hosts,
        name=path[1],
        credentials={"db": int(path[2] or 0)} | {k: unquote(v) for k, v in given.items() if v},
        tls={"ssl": True} if parts.scheme.startswith("rediss") else {},
    )


def _host(place: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise ValueError(f"names a Sentinel that is no host and port; it must be {LOOKS_LIKE}.")
    return host, port or PORT
