"""Fuzz one target, guided by which of its branches an input reaches: `make fuzz` runs them all."""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["service"]):
    from tests.fuzz.targets import SEEDS, TARGETS


def main() -> None:
    """Fuzz the target that the first argument names; the rest is libFuzzer's.

    The second is the folder of its corpus: what reaches a new branch stays there for the next run.
    """
    name, corpus = sys.argv.pop(1), Path(sys.argv[1])
    corpus.mkdir(parents=True, exist_ok=True)
    (corpus / "seed").write_bytes(SEEDS[name])
    limits = ["-timeout=2", "-rss_limit_mb=512", "-max_len=8192", "-verbosity=0"]
    atheris.Setup([*sys.argv, *limits, "-print_final_stats=1"], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
