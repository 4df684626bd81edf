"""Settings: read from the environment, validated together, refused with sentences.

The first thing every process does. What there is to set stands in `setting_table`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import unquote, urlsplit

from service.setting_table import MIB_BYTES, SETTINGS, Role, Setting
from service.setting_values import store_url


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
    ops_key: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    replicas: int = 0
    retention_days: int = 30
    signature_tolerance_seconds: int = 300
    body_limit_bytes: int = MIB_BYTES
    store_timeout_seconds: float = 1.0
    log_format: str = "auto"
    log_level: str = "info"

    def __post_init__(self) -> None:
        if not self.projection_url:
            object.__setattr__(self, "projection_url", self.redis_url)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], *, role: Role) -> "Settings":
        """Return the settings of a process.

        Raises `SettingsError` with every problem there is: what the role needs and is not there,
        and what is there and cannot be right, needed or not. An empty value counts as none.
        """
        values: dict[str, Any] = {}
        problems: list[str] = []
        for setting in SETTINGS:
            text = environ.get(setting.name, "").strip()
            if not text:
                if role in setting.needed_by:
                    problems.append(f"{setting.name} is not set: {setting.advice}")
                continue
            try:
                values[setting.field] = setting.read(text)
            except ValueError as problem:
                problems.append(f"{setting.name} {problem}")
        if values.get("ops_key") in values.get("api_keys", ()):
            problems.append(
                "ONFILE_OPS_KEY is also in ONFILE_API_KEYS: whoever may read could replay and "
                "repair; make a key of its own for operators."
            )
        if problems:
            raise SettingsError(problems)
        return cls(**values)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text here that no log line, message or page may show."""
        passwords = (urlsplit(url).password for url in (self.redis_url, self.projection_url))
        in_both_spellings = {p for password in passwords if password for p in _spellings(password)}
        ops_key = (self.ops_key,) if self.ops_key else ()
        return (*self.webhook_secrets, *self.api_keys, *ops_key, *sorted(in_both_spellings))

    def __repr__(self) -> str:
        shown = (f"{field.name}={_shown(field.name, self)}" for field in fields(self))
        return f"Settings({', '.join(shown)})"


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
