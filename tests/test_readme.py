"""The README is true: its tables say what the code does, its paths and commands exist."""

import re
from pathlib import Path

from starlette.routing import Route

from service.event_types import LOGGED_TYPES
from service.setting_table import SETTINGS
from service.settings import Settings, default_text
from service.web.app import create_app
from workers.cli.main import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def section(title: str) -> str:
    """Return what stands under a heading."""
    return README.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_table_of_settings_is_the_one_in_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.*) \|$", section("Settings"), re.MULTILINE)
    assert rows == [(s.name, s.meaning, default_text(s) or "none") for s in SETTINGS]


def test_every_event_type_is_in_the_table_and_no_other() -> None:
    rows = re.findall(r"^\|.*\|$", section("Event types"), re.MULTILINE)
    assert set(re.findall(r"`(\w+\.[\w.]+)`", "\n".join(rows))) == LOGGED_TYPES


def test_every_route_is_in_the_table_and_no_other() -> None:
    app = create_app(Settings(redis_url="redis://127.0.0.1:1"), lambda *_: None)
    routes = {
        re.sub(r"\{\w+\}", ":id", route.path) for route in app.routes if isinstance(route, Route)
    }
    assert set(re.findall(r"`(?:GET |POST )?(/[\w/:.]+)`", section("Endpoints"))) == routes


def test_every_command_is_in_the_table_and_no_other() -> None:
    named = re.findall(r"^\| `onfile ([\w-]+)", section("Commands"), re.MULTILINE)
    assert set(named) == set(main.list_commands(None))  # type: ignore[arg-type]


def test_no_table_is_cut_in_two() -> None:
    assert not re.findall(r"^\|.*\n\n\|", README, re.MULTILINE)


def test_every_path_it_names_is_there() -> None:
    paths = re.findall(r"`?((?:service|workers|tests|deploy)/[\w./]*)`?", README)
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_every_make_target_it_names_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"`make (\w+)", README)
    assert not [target for target in targets if f"\n{target}:" not in makefile]
