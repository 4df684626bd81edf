"""The doctor's look at the stores' doors: who can reach them, and with which password."""

import ipaddress
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
import redis

from service import stores
from service.settings import Settings
from workers.operators.finding import Finding, ok, trouble


def door_findings(settings: Settings) -> list[Finding]:
    """Return what can be said of the way to each store."""
    doors = {"REDIS_URL": settings.redis_url}
    if settings.projection_url != settings.redis_url:
        doors["ONFILE_PROJECTION_URL"] = settings.projection_url
    return [_password(name, url) for name, url in doors.items()]


def is_loopback(url: str) -> bool:
    """Tell whether an address is this machine's own."""
    parts = urlsplit(url)
    if parts.scheme == "unix" or parts.hostname in {None, "localhost"}:
        return True
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


def _password(name: str, url: str) -> Finding:
    """Return whether whoever reaches the store may read and write it."""
    check = "store.password"
    if not _answers_without_password(url):
        return ok(check, f"{name} asks for a password.")
    if is_loopback(url) and not _listens_beyond_loopback(url):
        return ok(check, f"{name} has no password and is reached from this machine only.")
    return trouble(
        check,
        f"{name} answers without a password beyond this machine: whoever reaches it can read and "
        "change everything, and give the workers jobs.",
        "Set requirepass (or an ACL user), write the password into the address "
        f"(redis://:PASSWORD@HOST:PORT/0) in {name}, and let only the service's machines reach it.",
    )


def _answers_without_password(url: str) -> bool:
    """Ask as a stranger would. The address may carry the password, the query's too."""
    parts = urlsplit(url)
    query = [(k, v) for k, v in parse_qsl(parts.query) if k not in {"password", "username"}]
    place = parts.netloc.rpartition("@")[2]
    stranger = urlunsplit(parts._replace(netloc=place, query=urlencode(query)))
    with stores.connect(stranger) as client:
        try:
            client.ping()
        except (redis.RedisError, OSError):
            return False
    return True


def _listens_beyond_loopback(url: str) -> bool:
    """Tell whether it would answer another machine; False where it does not say."""
    if urlsplit(url).scheme == "unix":
        return False
    with stores.connect(url) as client:
        try:
            told: Any = client.config_get("bind", "protected-mode")
        except redis.RedisError:
            return False
    if told.get("protected-mode", "yes") == "yes":
        return False
    addresses = msgspec.convert(told.get("bind", ""), str).split()
    return not addresses or not all(_is_own(address.lstrip("-")) for address in addresses)


def _is_own(address: str) -> bool:
    return is_loopback(f"redis://{f'[{address}]' if ':' in address else address}")
