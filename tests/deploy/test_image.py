"""The image's own steps, walked in a clean folder: what it would hold, and what it would not."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "image" / "Dockerfile").read_text()
BUILD, FINAL = (stage for stage in DOCKERFILE.split("\nFROM ${PYTHON}")[1:])
PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / lock).read_text()))


@pytest.mark.parametrize("lock", ["requirements.lock", "build.lock"])
def test_the_image_holds_the_very_versions_that_were_tested(lock: str) -> None:
    inside = pins(f"deploy/image/{lock}")
    assert inside
    assert inside.items() <= pins("requirements.lock").items()


def test_the_image_holds_no_tool_of_ours() -> None:
    inside = pins("deploy/image/requirements.lock").keys()
    assert {"starlette", "rq", "prometheus-client"} <= inside
    assert not inside & {"pytest", "hatchling", "mypy", "ruff", "coverage", "pip"}


def test_it_runs_as_nobody_in_particular_and_says_how_it_is() -> None:
    lines = FINAL.splitlines()
    assert "USER 10001" in lines
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert json.loads(next(line[11:] for line in lines if line.startswith("ENTRYPOINT"))) == [
        "onfile"
    ]


@pytest.mark.skipif("ONFILE_WALK_IMAGE" not in os.environ, reason="make deployment walks it")
def test_the_steps_of_the_build_make_an_environment_that_runs_and_cannot_install(
    tmp_path: Path,
) -> None:
    context, built = tmp_path / "build", tmp_path / "onfile"
    context.mkdir()
    for step in BUILD.splitlines():
        word, _, rest = step.partition(" ")
        if word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                copy(ROOT / source, context / target)
        elif word == "RUN":
            command = re.sub(r"(?<=\s)/onfile", str(built), rest)
            command = re.sub(r"^python\b", sys.executable, command)
            ran = subprocess.run(
                ["/bin/sh", "-c", command], cwd=context, check=False, capture_output=True, text=True
            )
            assert ran.returncode == 0, f"{step}\n{ran.stderr}"
    ran = subprocess.run(
        [built / "bin" / "onfile", "--version"], check=True, capture_output=True, text=True
    )
    assert ran.stdout.startswith("onfile ")
    without = subprocess.run([built / "bin" / "python", "-c", "import pip"], check=False)
    assert without.returncode != 0
    refused = subprocess.run(
        [built / "bin" / "onfile", "web"],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": ""},
        cwd=tmp_path,
    )
    assert refused.returncode == 2
    assert "STRIPE_WEBHOOK_SECRET is not set" in refused.stderr


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target / source.name if target.is_dir() else target)
