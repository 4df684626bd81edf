"""The Procfile, started by honcho as a developer or a platform would."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.flow.conftest import Service

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "tests" / "data" / "examples" / "customer_with_card.jsonl"
SECRET = "whsec_flow_tests_0123456789abcdef"
KEY = "sk_test_flow_tests_0123456789abcdef"


def test_the_procfile_starts_a_service_that_answers_and_stops_cleanly(
    service: "Service", eventually: Callable[..., Any], tmp_path: Path
) -> None:
    environ = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "REDIS_URL": service.store.url,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "ONFILE_API_KEYS": KEY,
    }
    honcho = [sys.executable, "-m", "honcho", "--procfile", str(ROOT / "Procfile")]
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [*honcho, "start", "--port", str(service.port)],  # the first process gets this port
            cwd=tmp_path,
            env=environ,
            stdout=said,
            stderr=said,
        )
    try:
        eventually(lambda: service.workers_alive() == 1)
        for line in EXAMPLES.read_text().splitlines():
            assert service.deliver(json.loads(line)).status == 200
        eventually(lambda: service.ask("/v1/customers/cus_example/default_source").status == 200)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
    said_at_the_end = (tmp_path / "said").read_text()
    assert "web.stopped" in said_at_the_end
    assert "worker.stopped" in said_at_the_end
