"""Where a command finds its settings: the environment, else the folder of `onfile up`."""

import os
from collections.abc import Callable, Mapping

import click

from service.setting_table import Role
from service.settings import FILE_SUFFIX, Settings, SettingsError
from service.watch import logs
from workers.cli.data_dir import DataDir

WRONG_SETTINGS_STATUS = 2
"""As for a wrong command line: starting again will not help."""


class RefusedSettingsError(click.ClickException):
    """The settings cannot be worked with; shown as sentences, one a line."""

    exit_code = WRONG_SETTINGS_STATUS

    def show(self, file: object = None) -> None:  # noqa: ARG002 (click's signature)
        """Print every problem."""
        click.echo("These settings are wrong or missing:", err=True)
        for problem in self.message.splitlines():
            click.echo(f"  - {problem}", err=True)


def process_settings(
    role: Role, data_dir: DataDir, overrides: Mapping[str, str | None] | None = None
) -> Settings:
    """Return the settings of a command, and let its log lines follow them.

    `overrides` are what the command line says, by the settings' names.
    """
    settings = _checked(lambda: read_settings(role, data_dir, overrides))
    logs.configure(fmt=settings.log_format, level=settings.log_level, secrets=settings.secrets)
    return settings


def read_settings(
    role: Role, data_dir: DataDir, overrides: Mapping[str, str | None] | None = None
) -> Settings:
    """Return the settings as environment, files and folder give them now.

    Raises SettingsError.
    """
    said = {name: value for name, value in (overrides or {}).items() if value is not None}
    return Settings.from_environ({**environ(data_dir), **said}, role=role)


def environ(data_dir: DataDir) -> dict[str, str]:
    """Return the environment; with what the folder keeps when it names no store."""
    given = filled(os.environ)
    if is_given("REDIS_URL", given):
        return given
    kept = data_dir.read_env().items()
    return {**{name: value for name, value in kept if not is_given(name, given)}, **given}


def is_given(name: str, values: Mapping[str, str]) -> bool:
    """Say whether a setting is there, itself or as a file."""
    return name in values or f"{name}{FILE_SUFFIX}" in values


def is_of_folder(redis_url: str, data_dir: DataDir) -> bool:
    """Say whether a store's address is the one that the folder keeps, and so `onfile up`'s own."""
    given = os.environ.get("REDIS_URL", "").strip()
    return not given and data_dir.read_env().get("REDIS_URL") == redis_url


def filled(values: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that say something: an empty one counts as none."""
    return {name: value for name, value in values.items() if value.strip()}


def checked(values: Mapping[str, str], role: Role) -> Settings:
    """Return the settings, or end the command with sentences."""
    return _checked(lambda: Settings.from_environ(values, role=role))


def _checked(read: Callable[[], Settings]) -> Settings:
    try:
        return read()
    except SettingsError as refused:
        raise RefusedSettingsError(str(refused)) from None
