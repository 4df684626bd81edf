"""The runbook has a section for whatever can be wrong, and what it says to do does it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from service.settings import Settings
from tests.benchmarks import filled
from tests.cluster import cluster
from tests.conftest import Store
from tests.flow.conftest import eventually
from tests.workers.stored import stored_answers
from workers.operators.desk import open_desk
from workers.operators.doctor import examine

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
RUNBOOK = (DEPLOY / "RUNBOOK.md").read_text()
CUSTOMERS = 300
TROUBLE = re.compile(r'log\.(?:warning|error|exception)\(\s*"([a-z_.]+)"')


def chapter(title: str) -> str:
    return RUNBOOK.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def headings(title: str) -> list[str]:
    return re.findall(r"^### (.+)$", chapter(title), re.MULTILINE)


def test_every_alert_has_its_section_and_no_other() -> None:
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    alerts = [rule["alert"] for group in groups for rule in group["rules"]]
    assert headings("Alerts") == alerts


def test_every_finding_of_the_doctor_has_its_section_and_no_other(store: Store) -> None:
    with open_desk(Settings(redis_url=store.url)) as desk:
        checks = {finding.check for finding in examine(desk)}
    assert sorted(headings("Findings of `onfile doctor`")) == sorted(checks)


def test_every_line_of_the_log_that_asks_for_something_is_explained() -> None:
    modules = [*ROOT.glob("service/**/*.py"), *ROOT.glob("workers/**/*.py")]
    said = {name for module in modules for name in TROUBLE.findall(module.read_text())}
    said.discard("sandbox.failed")  # it is no part of a deployment
    explained = set(re.findall(r"`([a-z]+\.[a-z_]+)`", chapter("Lines of the log")))
    assert "event.failed" in said
    assert said <= explained


def test_documents_are_moved_to_a_cluster_as_it_says(store: Store, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", chapter("Moving the projection"), re.DOTALL)
    dedented = re.sub(r"^ {3}", "", program, flags=re.MULTILINE)
    with cluster(tmp_path) as nodes, store.client() as old:
        filled.fill(old, CUSTOMERS, cards=2)
        subprocess.run(
            [sys.executable, "-c", dedented],
            env={"REDIS_URL": store.url, "ONFILE_PROJECTION_URL": nodes[0].url},
            check=True,
        )
        moved: dict[str, bytes] = {}
        for node in nodes:
            with node.client() as client:
                moved |= stored_answers(client)
        assert moved == stored_answers(old)
        assert len(moved) == 3 * CUSTOMERS


def test_a_dump_is_restored_as_it_says(store: Store, tmp_path: Path) -> None:
    with store.client() as client:
        client.set("onfile:kept", "1")
        client.bgsave()
        eventually(lambda: told(client)["rdb_bgsave_in_progress"] == 0)
    (store.folder / "dump.rdb").rename(tmp_path / "dump.rdb")
    restored = Store(tmp_path, "--appendonly", "no")
    try:
        restored.start()
        with restored.client() as client:
            client.config_set("appendonly", "yes")
            eventually(lambda: told(client)["aof_rewrite_in_progress"] == 0)
        restored.terminate()
        restored.options = ()
        restored.start()
        with restored.client() as client:
            assert client.get("onfile:kept") == b"1"
    finally:
        restored.kill()


def told(client: Any) -> Any:
    """Return what the store says of its files."""
    return client.info("persistence")
