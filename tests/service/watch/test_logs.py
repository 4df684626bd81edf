"""Log lines: their shape, and that each thing is said once."""

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from service.watch.logs import MASK, mask

SETUP = """
import logging, sys, structlog
from service.watch import logs
logs.configure(fmt={fmt!r}, level={level!r}, secrets=["my own secret"])
log = structlog.get_logger()
"""


def lines(code: str, *, fmt: str = "json", level: str = "info") -> list[str]:
    """What a process prints that runs the code; its own, since logging is a process's."""
    program = SETUP.format(fmt=fmt, level=level) + textwrap.dedent(code)
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert not ran.stderr
    return ran.stdout.splitlines()


def records(code: str, **how: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(code, **how)]


def test_a_line_is_one_json_object_with_time_level_and_event_first() -> None:
    [line] = lines("log.info('delivery.accepted', event_id='evt_1', duration_ms=1.5)")
    record = json.loads(line)
    assert list(record) == ["timestamp", "level", "event", "event_id", "duration_ms"]
    assert record["timestamp"].endswith("Z")
    assert record["level"] == "info"
    assert record["event"] == "delivery.accepted"


def test_a_line_is_written_whatever_it_tells_of() -> None:
    [half] = records(r"log.info('odd', name='\udc80')")
    [thing] = records("log.info('odd', thing={1}, number=float('nan'))")
    assert half["name"] == "\udc80"
    assert thing["thing"] == [1]


GATHERING = """
import asyncio
writes = []
class Out:
    isatty = staticmethod(lambda: False)
    flush = staticmethod(lambda: None)
    def write(self, text):
        writes.append(text.count("\\n"))
        sys.stdout.write(text)
logs.configure(fmt="json", level="info", stream=Out())
async def turn():
    for number in range(3):
        log.info("one", number=number)
async def turns():
    await turn()
    assert not writes
    await asyncio.sleep(0)
    assert writes == [3]
    log.info("two")
    log.warning("bad")
    assert writes == [3, 2]
    log.info("last")
"""


def test_what_one_turn_of_the_event_loop_says_is_written_at_once_and_what_is_bad_now() -> None:
    said = [record["event"] for record in records(GATHERING + "asyncio.run(turns())")]
    assert said == ["one", "one", "one", "two", "bad", "last"]


@pytest.mark.parametrize("end", ["return", "sys.exit(0)"])
def test_no_line_is_lost_when_the_process_ends_within_a_turn(end: str) -> None:
    code = f"""
    import asyncio
    async def ends():
        log.info("last")
        {end}
    asyncio.run(ends())
    """
    assert [record["event"] for record in records(code)] == ["last"]


def test_threads_beside_an_event_loop_lose_no_line_either() -> None:
    code = """
    import asyncio
    def say():
        for number in range(200):
            log.info("there", number=number)
    async def both():
        there = asyncio.create_task(asyncio.to_thread(say))
        while not there.done():
            log.info("here")
            await asyncio.sleep(0)
    asyncio.run(both())
    """
    said = [record["number"] for record in records(code) if record["event"] == "there"]
    assert said == list(range(200))


def test_outside_of_an_event_loop_a_line_is_written_at_once() -> None:
    [record] = records("import os; log.info('before'); os._exit(0)")
    assert record["event"] == "before"


def test_libraries_speak_in_the_same_way() -> None:
    [record] = records("logging.getLogger('uvicorn.error').warning('went %s', 'wrong')")
    assert list(record) == ["timestamp", "level", "event", "logger"]
    assert (record["event"], record["logger"]) == ("went wrong", "uvicorn.error")


def test_warnings_are_lines_too() -> None:
    [record] = records("import warnings; warnings.warn('old', DeprecationWarning)")
    assert record["logger"] == "py.warnings"


def test_what_our_own_lines_say_better_is_said_once() -> None:
    chat = """
    for name in ("uvicorn.error", "rq.worker"):
        logging.getLogger(name).info("chat")
    logging.getLogger("other").info("news")
    """
    assert [record["event"] for record in records(chat)] == ["news"]
    assert len(records(chat, level="debug")) == 3


def test_the_least_level_holds_for_all() -> None:
    assert not records(
        "log.warning('ours'); logging.getLogger('rq').warning('theirs')", level="error"
    )


@pytest.mark.parametrize(
    "code", ["log.exception('job.failed')", "logging.getLogger('rq').exception('job.failed')"]
)
def test_a_traceback_is_a_field(code: str) -> None:
    [record] = records(f"try:\n    1 / 0\nexcept ZeroDivisionError:\n    {code}")
    assert record["event"] == "job.failed"
    assert record["exception"].startswith("Traceback")
    assert record["exception"].endswith("ZeroDivisionError: division by zero")


def test_a_crash_is_a_line() -> None:
    [record] = records("raise RuntimeError('my own secret')")
    assert record["event"] == "process.crashed"
    assert record["exception"].endswith(f"RuntimeError: {MASK}")


def test_on_a_terminal_a_line_is_for_people() -> None:
    [line] = lines("log.info('worker.ready', worker='w')", fmt="console")
    assert "worker.ready" in line
    assert "worker=w" in line
    assert lines("log.info('x')", fmt="auto")[0].startswith("{"), "a pipe is no terminal"


def test_what_json_cannot_hold_is_still_a_line() -> None:
    [record] = records("log.info('x', odd=object, lone='\\udc80', bytes=b'\\xff')")
    assert record["lone"] == "\udc80"
    assert record["bytes"] == "b'\\xff'"


def test_a_line_that_cannot_be_written_disturbs_nobody() -> None:
    program = SETUP.format(fmt="json", level="info") + textwrap.dedent("""
    for _ in range(3):
        log.info("a")
        logging.getLogger("b").warning("c")
    print("done", file=sys.stderr)
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    process.stdout.close()
    _, said = process.communicate(timeout=30)
    assert said.startswith("done")


SECRETS = [
    "my own secret",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "rk_test_4eC39HqLyjWDarjtT1zdp7dc",
    "jenny.rosen+tag@mail.example.com",
]


@pytest.mark.parametrize("fmt", ["json", "console"])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_leaves_by_any_way(secret: str, fmt: str) -> None:
    said = "\n".join(
        lines(
            f"""
            s = {secret!r}
            log.info(s, field=s, nested={{"deep": [s]}})
            logging.getLogger("uvicorn.error").error("refused %s", s, extra={{"field": s}})
            def fails():
                raise ValueError(s)
            for speak in (log.exception, logging.getLogger("rq.worker").exception):
                try:
                    fails()
                except ValueError:
                    speak("job.failed")
            import warnings
            warnings.warn(s)
            structlog.contextvars.bind_contextvars(bound=s)
            log.info("bound")
            raise RuntimeError(s)
            """,
            fmt=fmt,
        )
    )
    assert said.count(MASK) >= 8
    assert secret not in said


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("redis://:hunter2@store:6379/0", f"redis://{MASK}@store:6379/0"),
        ("rediss://user:hunter2@a.store.com", f"rediss://{MASK}@a.store.com"),
        ("pi_3Mtw_secret_YrKJUKribcBj", f"pi_3Mtw_secret_{MASK}"),
        ("src_client_secret_abc", f"src_client_secret_{MASK}"),
        ("'whsec_a' 'whsec_b'", f"'{MASK}' '{MASK}'"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "evt_1NG8Du2eZvKYlo2CUI79vXWy customer.source.created",
        "req_abc test:acct_1 card_1 src_1",
        "onfile:c:{test:acct_1:cus_1}",
        "http://127.0.0.1:8000/webhooks/stripe",
        "redis://store:6379/0",
    ],
)
def test_what_names_a_thing_is_left_alone(text: str) -> None:
    assert mask(text) == text
