"""Alerts and dashboard ask for metrics that exist, in a language that Prometheus understands."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from service.log.backlog import Backlog
from service.web.exposition import of_events, of_stores
from service.web.vitals import Node, Vitals

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yml"
BOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "onfile.json").read_text())
PROMETHEUS_S_OWN = {"up", "ALERTS"}
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def alerts() -> list[dict[str, Any]]:
    return [
        rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
    ]


def expressions() -> Iterator[str]:
    yield from (alert["expr"] for alert in alerts())
    yield from (target["expr"] for panel in BOARD["panels"] for target in panel["targets"])
    yield from (annotation["expr"] for annotation in BOARD["annotations"]["list"])


def told() -> set[str]:
    """Return the names of all that /metrics can tell."""
    node = Node(store="events", name="", used=1, limit=1, machine=1, writes_ok=True, durable=True)
    vitals = Vitals(
        backlog=Backlog(untaken=0, taken=0, oldest_ms=None, failing=0),
        workers=0,
        jobs_waiting=0,
        jobs_failed=0,
        halted=False,
        ambiguous_customers=0,
        caught_up=1.0,
        counters={},
        meters={},
        secrets=[],
        node=node,
    )
    families = [*of_events(vitals), *of_stores({"events": True}, [node])]
    return {f"{family.name}{suffix}" for family in families for suffix in SUFFIXES[family.type]}


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_expression_is_promql_about_metrics_that_exist(expression: str) -> None:
    promql_parser.parse(expression)
    quoted = re.sub(r'"[^"]*"', "", expression)
    named = set(re.findall(r"\b(onfile_\w+|up|ALERTS)\b", quoted))
    assert named
    assert named <= told() | PROMETHEUS_S_OWN


def test_every_alert_says_how_bad_it_is_what_is_wrong_and_what_to_do() -> None:
    for alert in alerts():
        assert alert["labels"]["severity"] in {"page", "ticket"}
        assert all(alert["annotations"][part].endswith(".") for part in ("summary", "runbook"))


def test_no_panel_overlaps_another() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert x < 24
                assert (x, y) not in taken, (panel["title"], taken.get((x, y)))
                taken[x, y] = panel["title"]
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


@pytest.mark.parametrize(
    ("check", "file"),
    [("check", "alerts.yml"), ("test", "alerts_test.yml"), ("test", "alerts_days_test.yml")],
)
def test_prometheus_s_own_tool_finds_the_alerts_right(check: str, file: str) -> None:
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not on the path (Debian: apt-get install prometheus)")
    ran = subprocess.run(
        [promtool, check, "rules", file],
        cwd=RULES.parent,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
