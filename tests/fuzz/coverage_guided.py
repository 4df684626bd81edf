"""Fuzz one target, guided by which of its branches an input reaches: `make fuzz` runs them all."""

import sys

import atheris

with atheris.instrument_imports(include=["service"]):
    from tests.fuzz.targets import TARGETS

SEEDS = {
    "signature": b"t=1700000000,v1=" + b"0" * 64 + b",v0=x",
    "event": b'{"id":"evt_1","object":"event","type":"customer.updated","created":1,'
    b'"data":{"object":{"id":"cus_1","object":"customer"},"previous_attributes":{"a":null}}}',
    "query_string": b"limit=10&expand[]=total_count&starting_after=card_1&object=card",
    "api_key": b"Basic c2tfdGVzdF9mdXp6ZnV6emZ1enpmdXp6Og==\nacct_1",
    "prefer": b'respond-async, wait="5"',
    "etag": b'W/"abc", *',
}
"""One good input each, of which the first is always tried."""


def main() -> None:
    """Fuzz the target that the first argument names; the rest is libFuzzer's."""
    name = sys.argv.pop(1)
    target = TARGETS[name]
    target(SEEDS[name])
    limits = ["-timeout=2", "-rss_limit_mb=512", "-max_len=8192", "-verbosity=0"]
    atheris.Setup([*sys.argv, *limits, "-print_final_stats=1"], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
