"""Settings: read from the environment, validated together, refused with sentences.

The first thing every process does. What there is to set stands in `setting_table`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from service.key_digest import digest_of
from service.sealing import PLAIN
from service.setting_table import KIB_BYTES, MIB_BYTES, SETTINGS, Role, Setting
from service.setting_values import store_url

FILE_SUFFIX = "_FILE"
"""`NAME_FILE` names the file that holds the setting, as secrets of containers are given."""


class SettingsError(Exception):
    """The environment cannot be worked with; every problem is a sentence that says what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a process was told; its repr shows no secret."""

    redis_url: str
    projection_url: str = ""
    webhook_secrets: tuple[str, ...] = ()
    api_keys: tuple[str, ...] = ()
    stripe_keys: tuple[str, ...] = ()
    stripe_url: str = "https://api.stripe.com"
    ops_key: str | None = None
    metrics_key: str | None = None
    encryption_keys: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8000
    drop_fields: tuple[str, ...] = ()
    replicas: int = 0
    retention_days: int = 30
    signature_tolerance_seconds: int = 300
    body_limit_bytes: int = MIB_BYTES
    head_limit_bytes: int = 32 * KIB_BYTES
    connection_limit: int = 4096
    client_timeout_seconds: float = 10.0
    keep_alive_seconds: int = 65
    store_timeout_seconds: float = 1.0
    log_format: str = "auto"
    log_level: str = "info"

    def __post_init__(self) -> None:
        if not self.projection_url:
            object.__setattr__(self, "projection_url", self.redis_url)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], *, role: Role) -> "Settings":
        """Return the settings of a process.

        A setting may be given by a file as well: `NAME_FILE` is its path. An empty value counts as
        none. Raises `SettingsError` with every problem there is: what the role needs and is not
        there, and what is there and cannot be right, needed or not.
        """
        values: dict[str, Any] = {}
        problems: list[str] = []
        for setting in SETTINGS:
            try:
                if text := _text_of(setting.name, environ):
                    values[setting.field] = setting.read(text)
                elif role in setting.needed_by:
                    problems.append(f"{setting.name} is not set: {setting.advice}")
            except ValueError as problem:
                problems.append(f"{setting.name} {problem}")
        of_customers = {digest_of(key) for key in values.get("api_keys", ())}
        for field, (name, harm) in _APART.items():
            if field in values and digest_of(values[field]) in of_customers:
                problems.append(f"{name} is also in ONFILE_API_KEYS: {harm}")
        if problems:
            raise SettingsError(problems)
        return cls(**values)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text here that no log line, message or page may show."""
        passwords = (urlsplit(url).password for url in (self.redis_url, self.projection_url))
        in_both_spellings = {p for password in passwords if password for p in _spellings(password)}
        others = (key for key in (self.ops_key, self.metrics_key) if key)
        sealing_keys = (key for key in self.encryption_keys if key != PLAIN)
        keys = (*self.webhook_secrets, *self.api_keys, *self.stripe_keys, *sealing_keys, *others)
        return (*keys, *sorted(in_both_spellings))

    def __repr__(self) -> str:
        shown = (f"{field.name}={_shown(field.name, self)}" for field in fields(self))
        return f"Settings({', '.join(shown)})"


_APART = {
    "ops_key": (
        "ONFILE_OPS_KEY",
        "whoever may read could replay and repair; make a key of its own for operators.",
    ),
    "metrics_key": (
        "ONFILE_METRICS_KEY",
        "Prometheus could read customers; make a key of its own for it.",
    ),
}
"""Keys that open other doors than queries do, and what would come of it if one opened both."""


def _text_of(name: str, environ: Mapping[str, str]) -> str:
    """Return a setting's text; of a file the lines count as if commas stood between them."""
    text = environ.get(name, "").strip()
    path = environ.get(f"{name}{FILE_SUFFIX}", "").strip()
    if not path:
        return text
    if text:
        raise ValueError(f"is set, and so is {name}{FILE_SUFFIX}; set one of them.")
    try:
        lines = Path(path).read_text().splitlines()
    except OSError as error:
        raise ValueError(
            f"cannot be read: {name}{FILE_SUFFIX} names {path} ({error.strerror})."
        ) from None
    except UnicodeDecodeError:
        raise ValueError(
            f"cannot be read: {name}{FILE_SUFFIX} names {path}, which holds no text."
        ) from None
    return ",".join(line.strip() for line in lines if line.strip())


def default_text(setting: Setting) -> str:
    """Return a setting's default as a person would write it; empty when there is none."""
    value = next(field.default for field in fields(Settings) if field.name == setting.field)
    return setting.default_text or (str(value) if isinstance(value, str | int | float) else "")


def without_password(url: str) -> str:
    """Return a store's address as it may be shown."""
    before, at, place = url.rpartition("@")
    return f"{before.partition('://')[0]}://***@{place}" if at else url


def _spellings(password: str) -> tuple[str, str]:
    return password, unquote(password)


def _shown(field: str, settings: Settings) -> str:
    value = getattr(settings, field)
    setting = next(setting for setting in SETTINGS if setting.field == field)
    if setting.secret and value:
        return "***"
    return repr(without_password(value)) if setting.read is store_url else repr(value)
