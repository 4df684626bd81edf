"""Ask a running service everything that its /openapi.json describes, and more: `make fuzz`."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "data" / "examples" / "customer_with_card.jsonl"
ONFILE = [sys.executable, "-P", "-m", "workers.cli.main"]

ANYTHING = Path(__file__).with_name("schemathesis.toml")
FOLLOWING = Path(__file__).with_name("following.toml")


def main() -> int:
    """Return schemathesis's exit status; the command line's options are the first run's."""
    with tempfile.TemporaryDirectory() as folder:
        plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with subprocess.Popen(
            [*ONFILE, "up", "--port", "0", "--data-dir", folder],
            env=plain,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as service:
            try:
                address = next(line[6:].strip() for line in service.stdout or () if "ready" in line)
                send = [*ONFILE, "send", "--data-dir", folder, str(EXAMPLE)]
                subprocess.run(send, env=plain, check=True)
                key = _key(Path(folder))
                following = ("--include-path-regex", "^/v1/", "--phases", "stateful")
                return _ask(address, key, ANYTHING, *sys.argv[1:]) or _ask(
                    address, key, FOLLOWING, *following
                )
            finally:
                service.send_signal(signal.SIGTERM)


def _key(folder: Path) -> str:
    lines = (folder / "env").read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("ONFILE_API_KEYS="))


def _ask(address: str, key: str, config: Path, *options: str) -> int:
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
            *("run", f"{address}/openapi.json", "--header", f"Authorization: Bearer {key}"),
            *("--request-timeout", "12", *options),
        ],
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
