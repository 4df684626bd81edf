"""How every process speaks: one line an occurrence, JSON in production, readable on a terminal.

Our own lines come straight from structlog; those of uvicorn, RQ and every other library come
through the standard library's logging and are rendered by the same processors. Whatever the line
says, the last step masks what looks like a secret or like an address of a person.
"""

import contextlib
import json
import logging
import re
import sys
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, ProcessorReturnValue, WrappedLogger

MASK = "***"

FIRST_FIELDS = ("timestamp", "level", "event")

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
    out = stream or sys.stdout
    console = fmt == "console" or (fmt == "auto" and out.isatty())
    least = logging.getLevelNamesMapping()[level.upper()]
    chatty_least = least if level == "debug" else max(least, logging.WARNING)
    stamp: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
    ]
    _hidden.clear()
    hide(secrets)
    render: list[Processor] = [*_renderers(console=console, out=out), _masked]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *stamp, *render],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_: _Lines(out),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *stamp],
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
    for secret in secrets:
        text = text.replace(secret, MASK)
    for marker, shape in SECRET_SHAPES.items():
        if marker in text:
            text = shape.sub(MASK, text)
    return text


def _renderers(*, console: bool, out: TextIO) -> list[Processor]:
    if not console:
        return [
            structlog.processors.format_exc_info,
            _first_things_first,
            structlog.processors.JSONRenderer(_json),
        ]
    return [
        structlog.dev.ConsoleRenderer(
            colors=out.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # a fancy one shows local variables
            pad_event_to=24,
            sort_keys=False,
        )
    ]


def _first_things_first(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    """Put when, how bad and what in front: lines are read by people too."""
    first = {name: fields.pop(name) for name in FIRST_FIELDS if name in fields}
    return {**first, **fields}


def _json(fields: EventDict, default: Callable[[Any], Any]) -> str:
    """Write the line's JSON with msgspec, which takes a fifth of the time, where it can."""
    try:
        return msgspec.json.encode(fields, enc_hook=default).decode()
    except ValueError:  # half a character, in a name of a file for example
        return json.dumps(fields, default=default)


class _Lines:
    """Where our own lines end. One that cannot be written is lost; the work it tells of is not."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def msg(self, line: str) -> None:
        """Write a line at once; whole, also when several threads do."""
        with contextlib.suppress(OSError, ValueError):  # a pipe nobody reads; a closed file
            self.out.write(line + "\n")
            self.out.flush()

    debug = info = warning = error = critical = exception = msg


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
