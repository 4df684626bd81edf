"""What operators' commands have in common: the stores, JSON for programs, and what they exit with.

0: all is well. 1: trouble. 2: wrong words or settings. 3: differences were found. Answers go to
standard output, everything else to standard error.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click
import msgspec
import redis

from service.compression import LackingError, UnreadableError
from service.settings import Settings, without_password
from service.stores import AWAY, words_of
from service.watch import logs
from workers.cli.data_dir import DataDir
from workers.cli.environment import WRONG_SETTINGS_STATUS, checked, environ, is_of_folder
from workers.operators.desk import Desk, open_desk

TROUBLE = 1
DIFFERENCES = 3

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


class NoStoreError(click.ClickException):
    """Neither the environment nor the folder of `onfile up` says where the store is."""

    exit_code = WRONG_SETTINGS_STATUS


@contextmanager
def desk_of(data_dir: DataDir) -> Iterator[Desk]:
    """Open the stores that the settings name; a store that is away ends the command in a sentence.

    Ctrl-C ends it as well: nothing that these commands do is left half done.
    """
    values = environ(data_dir)
    if not values.get("REDIS_URL", "").strip():
        raise NoStoreError(_no_store(data_dir))
    settings = checked(values, "operator")
    logs.configure(
        fmt=settings.log_format,
        level=settings.log_level,
        secrets=settings.secrets,
        stream=sys.stderr,
    )
    try:
        with open_desk(settings) as desk:
            yield desk
    except BrokenPipeError:
        raise  # whoever read our output has read enough: click ends quietly
    except (*AWAY, redis.ResponseError) as error:
        if isinstance(error, redis.ResponseError) and not _is_about_the_password(error):
            raise
        raise click.ClickException(_cannot_be_asked(settings, error, data_dir)) from None
    except LackingError as error:
        raise click.ClickException(f"What lies in the store cannot be read: {error}.") from None
    except UnreadableError as error:
        raise click.ClickException(
            f"A document or an event cannot be read: {error}. `onfile rebuild --check` names "
            "such documents, and deploy/RUNBOOK.md says how to make them anew."
        ) from None
    except KeyboardInterrupt:
        raise click.ClickException("Stopped. It can be run again.") from None


def _no_store(data_dir: DataDir) -> str:
    lacks = f"{data_dir.env} names none" if data_dir.env.exists() else f"there is no {data_dir.env}"
    here = "" if data_dir.env.is_absolute() else " here"
    return (
        f"No store to look at: REDIS_URL is not set and {lacks}{here}. Run this where `onfile up` "
        "runs, or give --data-dir."
    )


def _cannot_be_asked(settings: Settings, error: Exception, data_dir: DataDir) -> str:
    places = {without_password(settings.redis_url), without_password(settings.projection_url)}
    where = " or ".join(sorted(places))
    if _is_about_the_password(error):
        return (
            f"The store at {where} asks for a password, or for another one. Write it into the "
            "address, as redis://:PASSWORD@HOST:PORT/0, in REDIS_URL (and ONFILE_PROJECTION_URL)."
        )
    nobody_there = isinstance(error, redis.ConnectionError) and not isinstance(
        error, redis.BusyLoadingError
    )
    mend = "Start it, or give the right address in REDIS_URL (and ONFILE_PROJECTION_URL)."
    if nobody_there and is_of_folder(settings.redis_url, data_dir):
        mend = f"`onfile up` of {data_dir.path} is not running; start it."
    return f"The store at {where} does not answer: {words_of(error)}. {mend}"


def _is_about_the_password(error: Exception) -> bool:
    said = str(error).lower()
    return isinstance(error, redis.AuthenticationError) or any(
        word in said for word in ("noauth", "wrongpass", "authenticat", "invalid username-password")
    )


def print_json(value: Any) -> None:  # noqa: ANN401 - anything that can be encoded
    """Print one JSON object, indented."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_json_list(name: str, items: Iterable[Any], rest: Callable[[], dict[str, Any]]) -> None:
    """Print one JSON object with a list in it, an item a line, each as soon as it is found.

    `rest` tells, when all are printed, what else the object holds.
    """
    click.echo(f'{{"{name}": [', nl=False)
    separator = "\n"
    for item in items:
        click.echo(separator + msgspec.json.encode(item).decode(), nl=False)
        separator = ",\n"
    more = "".join(f", {_json(key)}: {_json(value)}" for key, value in rest().items())
    click.echo(f"\n]{more}}}")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
