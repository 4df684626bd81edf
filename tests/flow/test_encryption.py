"""An encryption key is rolled while events come, over processes of which some know it already."""

import base64
import itertools
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.sealing import Keyring
from tests.store_contents import in_files, in_keys

if TYPE_CHECKING:
    from tests.flow.conftest import Service

FIRST, SECOND = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
EMAIL = "zoe@quirk.example"
numbers = itertools.count(1)


def event() -> dict[str, Any]:
    """Return an event about a customer of its own."""
    number = next(numbers)
    fields = {"id": f"cus_{number}", "object": "customer", "email": EMAIL, "default_source": None}
    return {
        "id": f"evt_encryption{number}",
        "object": "event",
        "created": number,
        "data": {"object": fields},
        "type": "customer.created",
    }


def deliver(service: "Service", over: threading.Event | None = None) -> None:
    """Deliver twenty events, and more until it is over."""
    for number in itertools.count(1):
        assert service.deliver(event()).status == 200
        if number >= 20 and (over is None or over.is_set()):
            return


def test_a_key_is_rolled_and_nothing_is_lost_or_shown(
    service: "Service", tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    client = service.store.client()
    client.config_set("rdbcompression", "no")  # so that its files show what is in them
    setting, rolled = tmp_path / "keys", itertools.count(1)
    setting.write_text(FIRST)

    def roll(*keys: str) -> None:
        """Give the web these keys, on lines of their own, and wait until it has taken them."""
        setting.write_text("\n".join(keys))
        times = next(rolled)
        eventually(lambda: times == (service.folder / "log").read_text().count("secrets.changed"))

    service.web(ONFILE_ENCRYPTION_KEYS_FILE=str(setting))
    oldest = service.worker(ONFILE_ENCRYPTION_KEYS=f"{FIRST},{SECOND}")
    deliver(service)
    roll(FIRST, SECOND)
    deliver(service)
    service.worker(ONFILE_ENCRYPTION_KEYS=f"{SECOND},{FIRST}")
    roll(SECOND, FIRST)
    deliver(service)
    eventually(lambda: service.workers_alive() == 2 and service.settled())
    oldest.terminate()
    oldest.wait()

    both = {"ONFILE_ENCRYPTION_KEYS": f"{SECOND},{FIRST}"}
    assert service.run("reencrypt", "--check", **both).returncode == 3
    with ThreadPoolExecutor() as pool:
        meanwhile = pool.submit(deliver, service, over := threading.Event())
        done = service.run("reencrypt", **both)
        over.set()
        meanwhile.result()
    assert (done.returncode, done.stderr) == (0, "")
    key_id = Keyring([SECOND]).key_id
    assert f"Nothing is left under any other key than {key_id}" in done.stdout
    roll(SECOND)
    eventually(service.settled)

    last = next(numbers) - 1
    for number in range(1, last + 1, 7):
        assert service.ask(f"/v1/customers/cus_{number}").json["email"] == EMAIL
    status = json.loads(service.run("status", "--json", ONFILE_ENCRYPTION_KEYS=SECOND).stdout)
    assert (status["accepted"], status["applied"], status["failed"]) == (last, last, 0)
    assert status["encryption"]["sample"]["events"].keys() == {key_id}
    said = (service.folder / "log").read_text() + done.stdout
    assert not [word for word in (FIRST, SECOND, "unreadable", '"error"') if word in said]
    assert EMAIL.encode() not in in_keys(client) + in_files(service.folder)
    assert b"cus_1" in in_files(service.folder)
