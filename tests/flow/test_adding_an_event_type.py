"""README's three steps add an event type: each is missed by a test, and all three suffice."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.flow.conftest import Service

ROOT = Path(__file__).parents[2]
STEPS = (ROOT / "README.md").read_text().split("### Add an event type\n", 1)[1].split("\n## ", 1)[0]
NAMED = (
    "tests/workers/test_handlers.py::test_every_type_in_the_log_has_a_handler",
    "tests/workers/test_handlers.py::test_every_handler_module_is_imported",
    "tests/test_readme.py::test_every_event_type_is_in_the_table_and_no_other",
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    for part in ("service", "workers", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    for file in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / file, folder)
    return folder


def test_three_steps_add_an_event_type(
    clone: Path, service: "Service", eventually: Callable[..., Any]
) -> None:
    handlers = clone / "workers" / "handlers"

    name(clone / "service" / "event_types.py")
    (handlers / "charges.py").write_text(told_handler())
    assert failing(clone) == set(NAMED)

    replace(handlers / "__init__.py", "import customers,", "import charges, customers,")
    replace(handlers / "__init__.py", '    "customers",', '    "charges",\n    "customers",')
    replace(clone / "README.md", "| Customers | ", "| Customers | `charge.succeeded` ")
    assert failing(clone) == set()

    service.start("web", code=str(clone))
    service.start("worker", code=str(clone))
    eventually(lambda: service.workers_alive() == 1)
    source = {"id": "src_1", "object": "source", "type": "card", "status": "chargeable"}
    charge = {"id": "ch_1", "object": "charge", "source": source, "customer": "cus_1"}
    deliver(service, "customer.created", {"id": "cus_1", "object": "customer"})
    deliver(service, "source.chargeable", source)
    deliver(service, "charge.succeeded", charge)
    eventually(service.settled)
    listed = service.ask("/v1/customers/cus_1/sources").json["data"]
    assert [one["id"] for one in listed] == ["src_1"]


def name(file: Path) -> None:
    """Do the first step."""
    [line] = re.findall(r"`(\(\(.*\)\),)` goes among", STEPS)
    end = "    )\n    for family, change in product"
    replace(file, end, f"        {line}\n{end}")


def told_handler() -> str:
    """Return the module of the second step."""
    [block] = re.findall(r"```python\n(.*?)```", STEPS, re.DOTALL)
    return dedent(block)


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def failing(clone: Path) -> set[str]:
    """Return which of the tests that README means do not pass."""
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [*command, *NAMED], cwd=clone, capture_output=True, text=True, check=False, timeout=60
    )
    assert "3 passed" in ran.stdout or "failed" in ran.stdout, ran.stdout + ran.stderr
    return set(re.findall(r"^FAILED (\S+)", ran.stdout, re.MULTILINE))


def deliver(service: "Service", kind: str, obj: dict[str, Any]) -> None:
    event = {"id": f"evt_{kind.replace('.', '_')}", "object": "event", "type": kind, "created": 5}
    assert service.deliver(event | {"data": {"object": obj}}).status == 200
