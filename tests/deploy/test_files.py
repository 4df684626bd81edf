"""The files of deploy/ against the code, and against the tools of their kinds where these are."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.setting_table import SETTINGS
from service.settings import Settings, default_text

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
PASSWORDS = {"WEB_PASSWORD", "WORKER_PASSWORD", "OPERATOR_PASSWORD", "ADMIN_PASSWORD"}


@pytest.fixture
def tool() -> Callable[..., str]:
    """Run a tool, or skip where it is not."""

    def run(name: str, *arguments: str, cwd: Path = ROOT) -> str:
        found = shutil.which(name)
        if not found:
            pytest.skip(f"{name} is not on the path (make deployment brings most of them)")
        ran = subprocess.run(
            [found, *arguments], cwd=cwd, check=False, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    return run


def environment() -> dict[str, str]:
    """Return what deploy/make-env makes."""
    made = subprocess.run([DEPLOY / "make-env"], check=True, capture_output=True, text=True)
    lines = [line for line in made.stdout.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_every_setting_is_in_the_environment_file_with_its_meaning_and_default() -> None:
    text = (DEPLOY / "onfile.env").read_text()
    for setting in SETTINGS:
        [paragraph] = [p for p in text.split("\n\n") if p.startswith(f"# {setting.meaning}\n")]
        *_, line = paragraph.splitlines()
        assert line.removeprefix("#").startswith(f"{setting.name}=")
        if line.startswith("#") and setting.name != "REDIS_URL":
            assert line == f"#{setting.name}={default_text(setting)}"


def test_what_make_env_makes_lets_the_web_start_once_stripe_s_secret_is_in_it() -> None:
    made, again = environment(), environment()
    store = {"REDIS_URL": "redis://onfile-web:x@valkey:6379/0", "STRIPE_WEBHOOK_SECRET": "whsec_x"}
    settings = Settings.from_environ(made | store, role="web")
    assert settings.metrics_key
    assert settings.api_keys[0].startswith("sk_live_")
    assert (
        not made.keys()
        - {"STRIPE_WEBHOOK_SECRET", "ONFILE_DOMAIN"}
        - {name for name in made if made[name] != again[name]}
    )


def test_compose_gives_the_web_every_setting_and_nobody_another_s_password() -> None:
    of_image, of_others = {"ONFILE_HOST", "PORT"}, {"OTEL_EXPORTER_OTLP_ENDPOINT"}
    told = COMPOSE["web"]["environment"].keys()
    asks_stripe = {"STRIPE_API_KEY", "ONFILE_STRIPE_URL"}
    assert {setting.name for setting in SETTINGS} - asks_stripe == (told | of_image) - of_others
    of_all = {"ONFILE_ENCRYPTION_KEYS"}
    secret = {setting.name for setting in SETTINGS if setting.secret} - asks_stripe - of_all
    for name in ("worker", "operator"):
        assert not COMPOSE[name]["environment"].keys() & secret
        assert of_all <= COMPOSE[name]["environment"].keys()
        assert asks_stripe <= COMPOSE[name]["environment"].keys()
    for name in ("web", "worker", "operator"):
        assert f"${{{name.upper()}_PASSWORD}}" in COMPOSE[name]["environment"]["REDIS_URL"]
        told = str(COMPOSE[name])
        assert sum(password in told for password in PASSWORDS) == 1


def test_every_user_of_the_store_gets_its_password_where_it_starts() -> None:
    users = (DEPLOY / "valkey-users.conf").read_text()
    start = (DEPLOY / "start-valkey").read_text()
    for password in PASSWORDS:
        assert f">{password} " in users
        assert f"s/{password}/${password}/" in start
    assert COMPOSE["valkey"]["environment"].keys() == PASSWORDS


def test_the_image_s_dockerfile_is_sound(tool: Callable[..., str]) -> None:
    tool("hadolint", "deploy/image/Dockerfile")


def test_compose_fits_its_schema(tool: Callable[..., str]) -> None:
    tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml")


@pytest.mark.parametrize("name", sorted(p.name for p in (DEPLOY / "kubernetes").iterdir()))
def test_the_manifests_hold_nothing_that_kubernetes_does_not_know(
    name: str, tool: Callable[..., str]
) -> None:
    tool("kubernetes-validate", "--strict", f"deploy/kubernetes/{name}")


def test_the_selectors_find_the_pods_they_are_meant_for() -> None:
    documents: list[dict[str, Any]] = [
        document
        for path in (DEPLOY / "kubernetes").iterdir()
        for document in yaml.safe_load_all(path.read_text())
    ]
    pods = [
        document["spec"]["template"]["metadata"]["labels"].items()
        for document in documents
        if "template" in document["spec"]
    ]
    selectors = [
        selector
        for document in documents
        for name in ("selector", "podSelector")
        if (selector := document["spec"].get(name))
    ]
    assert len(selectors) > len(pods)
    for selector in selectors:
        wanted = selector.get("matchLabels", selector)
        assert any(wanted.items() <= labels for labels in pods), wanted


def test_the_front_is_sound(tool: Callable[..., str]) -> None:
    tool("caddy", "validate", "--config", "deploy/caddy/Caddyfile", "--adapter", "caddyfile")


@pytest.mark.parametrize("unit", ["onfile-web.service", "onfile-worker@.service"])
def test_systemd_understands_the_units(unit: str, tool: Callable[..., str], tmp_path: Path) -> None:
    text = (DEPLOY / "systemd" / unit).read_text()
    assert "/opt/onfile/bin/onfile" in text
    (tmp_path / unit).write_text(text.replace("/opt/onfile/bin/onfile", "/bin/true"))
    assert unit not in tool("systemd-analyze", "verify", f"./{unit}", cwd=tmp_path)
