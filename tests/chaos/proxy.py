"""A TCP proxy between the service and its store, which can be told to do what networks do."""

import contextlib
import socket
from dataclasses import dataclass
from threading import Event, Lock, Thread

CHUNK_BYTES = 65_536


@dataclass
class Pair:
    """One connection through the proxy: its two ends."""

    client: socket.socket
    store: socket.socket

    def cut(self) -> None:
        """Close both ends at once."""
        for end in (self.client, self.store):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Proxy:
    """Passes bytes on between whoever connects and the store; one thread a direction."""

    def __init__(self, store_port: int) -> None:
        self._store_port = store_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._pairs: list[Pair] = []
        self._lock = Lock()
        self._passing = Event()
        self._passing.set()
        self._bite = ""
        self.bitten = Event()
        """Set when what was told was done."""
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Close every connection there is."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            pair.cut()

    def truncate(self, direction: str) -> None:
        """Pass half of the next chunk of a direction (`commands`, `replies`), then cut all."""
        self.bitten.clear()
        self._bite = direction

    def swallow(self) -> None:
        """Let the next commands through, drop the replies to them, then cut all."""
        self.bitten.clear()
        self._bite = "swallow"

    def lead_to(self, store_port: int) -> None:
        """Connect to another store from now on."""
        self._store_port = store_port
        self.cut()

    def hold(self) -> None:
        """Pass nothing on until told to release; what comes meanwhile waits."""
        self._passing.clear()

    def release(self) -> None:
        """Pass on again."""
        self._passing.set()

    def close(self) -> None:
        """Take no more connections, and close those there are."""
        self.release()
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                with contextlib.suppress(OSError):  # cut before it was there
                    self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            store = socket.create_connection(("127.0.0.1", self._store_port))
        except OSError:  # as if nobody listened here either
            client.close()
            return
        for end in (client, store):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = Pair(client, store)
        with self._lock:
            self._pairs.append(pair)
        for source, sink, direction in ((client, store, "commands"), (store, client, "replies")):
            Thread(target=self._pass, args=(pair, source, sink, direction), daemon=True).start()

    def _pass(self, pair: Pair, source: socket.socket, sink: socket.socket, direction: str) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK_BYTES):
                self._passing.wait()
                if not self._bites(direction, chunk, sink):
                    sink.sendall(chunk)
        pair.cut()
        with self._lock, contextlib.suppress(ValueError):
            self._pairs.remove(pair)

    def _bites(self, direction: str, chunk: bytes, sink: socket.socket) -> bool:
        """Do what was told, if this is what it was told about."""
        bite = self._bite
        if bite not in {direction, "swallow"} or (bite == "swallow" and direction != "replies"):
            return False
        self._bite = ""
        if bite == direction:
            sink.sendall(chunk[: len(chunk) // 2])
        self.cut()
        self.bitten.set()
        return True
