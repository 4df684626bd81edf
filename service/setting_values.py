"""How a setting's text becomes its value: one reader for each kind, each refusing with a sentence.

A reader raises `ValueError` with the end of a sentence that begins with the setting's name. Values
that are secret are never repeated in it.
"""

import re
from base64 import b64decode
from collections.abc import Callable
from importlib.util import find_spec
from urllib.parse import parse_qs, urlsplit

from service import sentinels
from service.key_digest import is_broken_hash, mode_of
from service.sealing import KEY_BYTES, PLAIN

WEBHOOK_SECRET_PREFIX = "whsec_"  # noqa: S105 (the beginning that Stripe gives every one)
LIVE_KEY_CHARACTERS = 16
"""A live key guards real customers: shorter than this it could be guessed."""

GUARDING_CHARACTERS = 16

SHOWN_CHARACTERS = 40

MODES = ("_live_", "_test_")
STRIPE_KEY = re.compile(r"(sk|rk)_(live|test)_[A-Za-z0-9_]+")
DECODING_OPTION = "decode_responses"


def store_url(text: str) -> str:
    """Return the address of a Redis or Valkey, as redis-py reads it."""
    advice = (
        "it must look like redis://localhost:6379/0, rediss://… (TLS), unix:///path or "
        f"{sentinels.LOOKS_LIKE}"
    )
    try:
        url = urlsplit(text)
        _ = url.scheme in sentinels.SCHEMES or url.port
    except ValueError:
        raise ValueError(f"cannot be read as an address; {advice}.") from None
    if sentinels.read(text):
        return text
    if url.scheme not in {"redis", "rediss", "unix"}:
        raise ValueError(f"begins with {url.scheme or 'no scheme'!r}; {advice}.")
    if url.scheme == "unix" and not url.path:
        raise ValueError("names no socket; write the socket's path after unix://.")
    if url.scheme != "unix" and not url.hostname:
        raise ValueError(f"names no host; {advice}.")
    if url.scheme != "unix" and not re.fullmatch(r"(/\d*)?", url.path):
        raise ValueError("must end in the number of a database, as in /0, or in nothing.")
    if DECODING_OPTION in parse_qs(url.query):
        raise ValueError(f"sets {DECODING_OPTION}, which workers cannot live with; leave it out.")
    return text


def webhook_secrets(text: str) -> tuple[str, ...]:
    """Return the endpoint secrets, in the order given."""
    secrets = _several(text)
    for place, secret in enumerate(secrets, 1):
        which = _which("secret", place, secrets)
        if not secret.startswith(WEBHOOK_SECRET_PREFIX):
            raise ValueError(
                f"holds {which} that does not begin with {WEBHOOK_SECRET_PREFIX}; copy the signing "
                "secret from the endpoint's page in Stripe's dashboard."
            )
        if secret == WEBHOOK_SECRET_PREFIX or re.search(r"\s", secret):
            raise ValueError(f"holds {which} that is cut short or broken; copy it whole.")
    return secrets


def api_keys(text: str) -> tuple[str, ...]:
    """Return the keys that queries may show, or their hashes; each says which mode it reads."""
    keys = _several(text)
    for place, key in enumerate(keys, 1):
        which = _which("key", place, keys)
        mode = mode_of(key)
        if not mode or re.search(r"\s", key) or not key.isascii():
            raise ValueError(
                f"holds {which} without exactly one of _live_ and _test_ in it (that part says "
                "which mode the key reads); make one like sk_live_ or sk_test_ and 32 random "
                "letters, or give its hash as sha256:live: or sha256:test: and 64 hex digits."
            )
        if mode == "live" and len(key) < LIVE_KEY_CHARACTERS:
            raise ValueError(
                f"holds {which} for live mode shorter than {LIVE_KEY_CHARACTERS} characters, "
                "which can be guessed; make a longer one."
            )
    return keys


def stripe_keys(text: str) -> tuple[str, ...]:
    """Return Stripe's own keys, at most one a mode; each says in its text which mode it reads."""
    keys = _several(text)
    for place, key in enumerate(keys, 1):
        if not STRIPE_KEY.fullmatch(key):
            raise ValueError(
                f"holds {_which('key', place, keys)} that is no secret key of Stripe's; copy one "
                "that begins with rk_live_, rk_test_, sk_live_ or sk_test_ from Stripe's dashboard."
            )
    if len({mode for key in keys for mode in MODES if mode in key}) < len(keys):
        raise ValueError("holds two keys of one mode; leave one live and one test key at most.")
    return keys


def encryption_keys(text: str) -> tuple[str, ...]:
    """Return the keys that what is stored is encrypted with; PLAIN may stand for the first."""
    keys = _several(text)
    for place, key in enumerate(keys, 1):
        if key == PLAIN and place > 1:
            raise ValueError(f"holds `{PLAIN}` behind a key; it may only stand first.")
        if key != PLAIN and not _is_encryption_key(key):
            raise ValueError(
                f"holds {_which('key', place, keys)} that is not {KEY_BYTES} bytes in base64; make "
                f"one with `openssl rand -base64 {KEY_BYTES}`."
            )
    if len(set(keys)) < len(keys):
        raise ValueError("holds a key twice; leave each in one place.")
    if set(keys) != {PLAIN} and not find_spec("cryptography"):
        raise ValueError("takes what is not installed: pip install 'onfile[encryption]'.")
    return keys


def web_url(text: str) -> str:
    """Return the address of an HTTP server, without a slash at its end."""
    try:
        url = urlsplit(text)
        _ = url.port
        extra = url.query or url.fragment or url.username
        fits = url.scheme in {"http", "https"} and url.hostname and not extra
    except ValueError:
        fits = False
    if not fits:
        raise ValueError("must be the address of a server, as https://api.stripe.com.")
    return text.rstrip("/")


def key_to(power: str) -> Callable[[str], str]:
    """Return a reader of a key, or of its hash; `power` is what whoever has it may do."""

    def read(text: str) -> str:
        if is_broken_hash(text):
            raise ValueError("must be sha256: and 64 hex digits, if it is to be a hash.")
        if len(text) < GUARDING_CHARACTERS or re.search(r"\s", text) or not text.isascii():
            raise ValueError(
                f"must be at least {GUARDING_CHARACTERS} characters without spaces or accents, "
                f"since whoever has it may {power}; make a longer one."
            )
        return text

    return read


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers within bounds."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
            raise ValueError(
                f"is {_shown(text)}; it must be a whole number from {least} to {most}."
            )
        return int(text)

    return read


def seconds(least: float, most: float) -> Callable[[str], float]:
    """Return a reader of durations, which may have a fraction."""

    def read(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) or not least <= float(text) <= most:
            raise ValueError(f"is {_shown(text)}; it must be seconds from {least:g} to {most:g}.")
        return float(text)

    return read


def one_of(*words: str) -> Callable[[str], str]:
    """Return a reader of one word out of a few."""

    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"is {_shown(text)}; it must be one of {', '.join(words)}.")
        return text.lower()

    return read


def several_of(*words: str) -> Callable[[str], tuple[str, ...]]:
    """Return a reader of some of these words, or of `all`."""

    def read(text: str) -> tuple[str, ...]:
        given = {word.lower() for word in _several(text)}
        if unknown := given - {*words, "all"}:
            raise ValueError(
                f"names {_shown(min(unknown))}, which is none of {', '.join(words)} and all; "
                "write some of these, with commas between them."
            )
        return tuple(word for word in words if given & {word, "all"})

    return read


def host(text: str) -> str:
    """Return the address to listen on."""
    if not re.fullmatch(r"[A-Za-z0-9.:%_-]+", text):
        raise ValueError(
            f"is {_shown(text)}; it must be an address, as 127.0.0.1 or 0.0.0.0 (all)."
        )
    return text


def _is_encryption_key(text: str) -> bool:
    try:
        return len(b64decode(text, validate=True)) == KEY_BYTES
    except ValueError:
        return False


def _several(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    if not parts:
        raise ValueError("holds only commas; write at least one value.")
    return parts


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…")


def _which(noun: str, place: int, all_of_them: tuple[str, ...]) -> str:
    return f"a {noun}" if len(all_of_them) == 1 else f"a {noun} (number {place})"
