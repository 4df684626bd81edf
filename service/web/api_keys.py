"""Who asks: an API key and an account become the namespace a query may see."""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence

from service.key_digest import digest, digest_of, mode_of
from service.keys import Namespace
from service.web.errors import RefusalError

ACCOUNT = re.compile(r"[A-Za-z0-9_]{1,255}")
KEY_PREFIX = re.compile(r"[a-z]{2,4}_(?:live|test)_")
SHOWN_CHARACTERS = 4
HIDDEN_CHARACTERS = 12
"""A key is shown by its last four characters only when at least as many as these stay hidden."""


class ApiKeyError(RefusalError):
    """No API key, or a wrong one."""

    reason = "no_key"

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"WWW-Authenticate": 'Bearer realm="Onfile"'})


class WrongKeyError(ApiKeyError):
    """A key that is not configured here."""

    reason = "wrong_key"


class AccountError(RefusalError):
    """A Stripe-Account header that cannot be an account's id."""

    reason = "bad_account"


class ApiKeys:
    """The configured keys; each reads one mode."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.trust(keys)

    def trust(self, keys: Sequence[str]) -> None:
        """Let these keys in from now on, and no others."""
        self._keys = [(digest_of(key), mode_of(key)) for key in keys]

    def namespace(self, headers: Mapping[bytes, bytes]) -> Namespace:
        """Return what these request headers may read.

        Raises ApiKeyError without a key, WrongKeyError with one that is not configured,
        AccountError when the account is no id.
        """
        mode = self._mode(given_key(headers.get(b"authorization", b"")))
        account = headers.get(b"stripe-account", b"").decode("latin-1")
        if b"stripe-account" in headers and not ACCOUNT.fullmatch(account):
            raise AccountError(
                "The Stripe-Account header must be the id of an account, like acct_123.",
                param="Stripe-Account",
            )
        return Namespace(account, mode)

    def _mode(self, given: str) -> str:
        """Compare with every key, in the same time whichever it is and however much is right."""
        known = digest(given)
        found = ""
        for configured, mode in self._keys:
            if hmac.compare_digest(configured, known):
                found = mode
        if not found:
            raise WrongKeyError(f"Invalid API Key provided: {masked(given)}")
        return found


def given_key(authorization: bytes) -> str:
    """Return the key of a Bearer header, or of a Basic one, where it is the user's name."""
    scheme, _, credentials = authorization.decode("latin-1").strip().partition(" ")
    key = ""
    if scheme.lower() == "bearer":
        key = credentials.strip()
    elif scheme.lower() == "basic":
        key = _user_name(credentials.strip())
    if not key:
        raise ApiKeyError(
            "You did not provide an API key. You need to provide your API key in the "
            "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
            "YOUR_SECRET_KEY'). Onfile's keys are those of its setting ONFILE_API_KEYS."
        )
    return key


def _user_name(credentials: str) -> str:
    try:
        decoded = base64.b64decode(credentials, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return decoded.decode("latin-1").partition(":")[0]


def masked(key: str) -> str:
    """Return a key as Stripe shows a wrong one: its kind and its last four characters."""
    prefix = match.group() if (match := KEY_PREFIX.match(key)) else ""
    secret = key[len(prefix) :]
    hidden = len(secret) - SHOWN_CHARACTERS
    if hidden < HIDDEN_CHARACTERS:
        return f"{prefix}{'*' * HIDDEN_CHARACTERS}"
    return f"{prefix}{'*' * HIDDEN_CHARACTERS}{secret[-SHOWN_CHARACTERS:]}"
