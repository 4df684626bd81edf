"""What README tells a newcomer to type, typed: each of its blocks does what it says."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
OURS = ("REDIS_URL", "STRIPE_", "ONFILE_", "PORT")
PATIENCE_SECONDS = 60


def test_what_readme_says_to_run_runs(
    tmp_path: Path, free_port: int, another_free_port: int, eventually: Callable[..., Any]
) -> None:
    ports = {"8000": str(free_port), "8420": str(another_free_port)}
    for name in ("Makefile", ".venv", "requirements.lock", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "tests" / "data" / "examples", tmp_path / "tests" / "data" / "examples")
    run, send, make_customer = blocks("Run it", "sh")
    [ask] = blocks("Run it", "python")
    options = f"--sandbox --port {free_port} --sandbox-port {another_free_port}"
    with running(f'{run.strip()} ARGS="{options}"', tmp_path):
        eventually(lambda: "\nready http" in (tmp_path / "said").read_text())
        cards = re.compile(r'"id": ?"(card_\w+)"')
        assert eventually(lambda: cards.findall(typed(send, tmp_path, ports)))
        env = (tmp_path / ".onfile" / "env").read_text()
        [key] = re.findall(r"^ONFILE_API_KEYS=(\S+)", env, re.MULTILINE)
        program = ask.replace("sk_test_...", key)
        default = typed(f".venv/bin/python - <<'END'\n{program}END\n", tmp_path, ports)
        assert default.startswith("card_")
        create, read = make_customer.strip().splitlines()
        [made] = set(re.findall(r'"id": ?"(cus_\w+)"', typed(create, tmp_path, ports)))
        read = read.replace("cus_...", made)
        eventually(lambda: f'"id":"{made}"' in typed(read, tmp_path, ports).replace(" ", ""))
        [look] = blocks("Commands", "sh")
        assert "queues, 0 jobs total" in typed(look, tmp_path, ports)


def blocks(title: str, language: str) -> list[str]:
    """Return the code blocks of a section."""
    section = README.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def typed(script: str, folder: Path, ports: dict[str, str]) -> str:
    """Type it into a shell and return what it says; its ports are those of this test."""
    for shown, used in ports.items():
        script = script.replace(f":{shown}", f":{used}")
    ran = subprocess.run(
        ["/bin/sh", "-e", "-c", script],
        cwd=folder,
        env=clean_environ(),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@contextmanager
def running(script: str, folder: Path) -> Iterator[None]:
    """Run it as in a terminal of its own, and press Ctrl-C there at the end."""
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {script} --old-file=.venv/.installed"],
            cwd=folder,
            env=clean_environ(),
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield
        os.killpg(process.pid, signal.SIGINT)
        process.wait(PATIENCE_SECONDS)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def clean_environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
