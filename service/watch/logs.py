"""How every process speaks: one line an occurrence, JSON in production, readable on a terminal.

Our own lines come straight from structlog; those of uvicorn, RQ and every other library come
through the standard library's logging and are rendered by the same processors. Whatever the line
says, the last step masks what looks like a secret or like an address of a person.
"""

import asyncio
import atexit
import contextlib
import json
import logging
import re
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import chain
from types import TracebackType
from typing import TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, ProcessorReturnValue, WrappedLogger

from service.watch.outlet import Outlet, outlet

MASK = "***"

CHATTY = ("uvicorn", "rq")
"""What they say at level info our own lines say better: one a delivery, one a job."""

SECRET_SHAPES = {
    "whsec_": re.compile(r"whsec_[\w+/=-]+"),  # signing secrets of webhook endpoints
    "_live_": re.compile(r"[a-z]k_live_\w+"),  # API keys, Stripe's and ours
    "_test_": re.compile(r"[a-z]k_test_\w+"),
    "_secret_": re.compile(r"(?<=_secret_)\w+"),  # client secrets: pi_…_secret_…
    "://": re.compile(r"(?<=://)[^\s/@\"']*:[^\s/@\"']*(?=@)"),  # user and password in an address
    "@": re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"),  # e-mail
}
"""What a secret looks like, after a text that must be there for it: most lines hold none, and
looking for a plain text is a hundred times cheaper than for a pattern."""


def configure(
    *, fmt: str, level: str, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Send every line of this process, ours and the libraries', to standard output.

    `fmt` is json, console or auto (console on a terminal). `secrets` are the process's own, masked
    wherever they turn up, whatever they look like.
    """
    out = outlet(stream or sys.stdout)
    console = fmt == "console" or (fmt == "auto" and out.isatty())
    least = logging.getLevelNamesMapping()[level.upper()]
    chatty_least = least if level == "debug" else max(least, logging.WARNING)
    _hidden.clear()
    hide(secrets)
    lines = _Lines(out)
    if isinstance(out, Outlet):
        atexit.register(_drain, out)
    atexit.register(lines.flush)  # first
    render = _for_people(out) if console else [_as_json]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *render],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(handlers=[handler], level=least, force=True)
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # as in `_Lines`
    for name in CHATTY:
        logging.getLogger(name).setLevel(chatty_least)
    sys.excepthook = _log_crash


def hide(secrets: Iterable[str]) -> None:
    """Mask these from now on, too: secrets may change while a process runs."""
    _hidden[:] = sorted({*_hidden, *filter(None, secrets)}, key=len, reverse=True)


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text without these secrets and without what looks like one, or like an e-mail."""
    secrets = tuple(secrets)
    if not any(map(text.__contains__, chain(secrets, SECRET_SHAPES))):
        return text  # as nearly always
    for secret in secrets:
        text = text.replace(secret, MASK)
    for marker, shape in SECRET_SHAPES.items():
        if marker in text:
            text = shape.sub(MASK, text)
    return text


def _for_people(out: TextIO | Outlet) -> list[Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        structlog.dev.ConsoleRenderer(
            colors=out.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # a fancy one shows local variables
            pad_event_to=24,
            sort_keys=False,
        ),
        _masked,
    ]


def _as_json(logger: WrappedLogger, level: str, fields: EventDict) -> str:
    """Return the line; when, how bad and what stand in front, for people read it too.

    All in one step: handed from one of structlog's to the next, a line took twice the time.
    """
    if "exc_info" in fields:
        fields = structlog.processors.format_exc_info(logger, level, fields)
    timestamp = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    line = {"timestamp": timestamp, "level": level, "event": fields.pop("event"), **fields}
    try:
        text = msgspec.json.encode(line, enc_hook=repr).decode()
    except ValueError:  # half a character, in a name of a file for example
        text = json.dumps(line, default=repr)
    return mask(text, _hidden)


class _Lines(threading.local):
    """Where our own lines end, thread by thread.

    One that cannot be written is lost; the work it tells of is not.
    """

    def __init__(self, out: TextIO | Outlet) -> None:
        self._out = out
        self._gathered: list[str] = []

    def at_once(self, line: str) -> None:
        """Write a line, after those that were gathered."""
        self._gathered.append(f"{line}\n")
        self.flush()

    def gather(self, line: str) -> None:
        """Write a line with all others of this turn of the event loop: one write for them."""
        if not self._gathered:
            try:
                asyncio.get_running_loop().call_soon(self.flush)
            except RuntimeError:
                self.at_once(line)
                return
        self._gathered.append(f"{line}\n")

    debug = info = gather
    warning = error = critical = exception = at_once

    def flush(self) -> None:
        """Write what was gathered; in one piece, so that no other thread's line comes between."""
        lines, self._gathered = self._gathered, []
        with contextlib.suppress(OSError, ValueError):  # a pipe nobody reads; a closed file
            self._out.write("".join(lines))
            self._out.flush()


def _drain(out: Outlet) -> None:
    with contextlib.suppress(OSError, ValueError):  # as in `_Lines`
        out.drain()


def _masked(
    _logger: WrappedLogger, _method: str, line: ProcessorReturnValue
) -> ProcessorReturnValue:
    """Be the last processor: what goes out has been through here."""
    return mask(str(line), _hidden)


_hidden: list[str] = []
"""The process's own secrets, the longest first: one may be a part of another."""


def _log_crash(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Say an uncaught error as every other line is said: masked, and one line in JSON."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    structlog.get_logger().critical("process.crashed", exc_info=(kind, error, traceback))
