"""What a check of the doctor's found."""

from typing import Literal, TypeAlias

import msgspec

Level: TypeAlias = Literal["ok", "advice", "trouble"]


class Finding(msgspec.Struct, frozen=True):
    """One check's result."""

    check: str
    """The check's name, which stays the same."""
    level: Level
    """trouble: something is lost, let in or held up; advice: it could be better."""
    says: str
    mend: str = ""
    """What to do about it; empty where all is well."""


def ok(check: str, says: str) -> Finding:
    """Return that all is well."""
    return Finding(check, "ok", says)


def advice(check: str, says: str, mend: str) -> Finding:
    """Return what could be better."""
    return Finding(check, "advice", says, mend)


def trouble(check: str, says: str, mend: str) -> Finding:
    """Return what must be mended."""
    return Finding(check, "trouble", says, mend)
