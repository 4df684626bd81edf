"""Whose request it is: any well-formed test key opens this sandbox, and no other."""

import base64
import binascii
import re
from http import HTTPStatus

from service.sandbox.errors import StripeError

SECRET = re.compile(r"(sk|rk)_test_[A-Za-z0-9_]+")
PUBLISHABLE = re.compile(r"pk_test_[A-Za-z0-9_]+")
ACCOUNT = re.compile(r"acct_[A-Za-z0-9_]{1,250}")

HELP = "or we can help at https://support.stripe.com/."


def is_secret(authorization: str) -> bool:
    """Tell a secret key from a publishable one; raises StripeError for anything else."""
    key = _key(authorization)
    if not key:
        raise _refusal(
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See "
            f"https://stripe.com/docs/api#authentication for details, {HELP}"
        )
    if SECRET.fullmatch(key):
        return True
    if PUBLISHABLE.fullmatch(key):
        return False
    raise _refusal(
        f"Invalid API Key provided: {key[:8]}****. This is a sandbox: any key of the shape "
        "sk_test_… opens it, and a live one must never be sent here."
    )


def refuse_publishable() -> StripeError:
    """Return the refusal of a publishable key where a secret one is needed."""
    return StripeError(
        "This API call cannot be made with a publishable API key. Please use a secret API key. You "
        "can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.",
        status=HTTPStatus.UNAUTHORIZED,
        code="secret_key_required",
    )


def account(header: str | None) -> str:
    """Return the connected account that Stripe-Account names; raises StripeError."""
    if header is not None and not ACCOUNT.fullmatch(header):
        raise StripeError(
            f"The provided key does not have access to account '{header}' (or that account does "
            "not exist). Application access may have been revoked.",
            status=HTTPStatus.FORBIDDEN,
            code="account_invalid",
        )
    return header or ""


def _key(authorization: str) -> str:
    scheme, _, credentials = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(credentials, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return decoded.decode("latin-1").partition(":")[0]


def _refusal(message: str) -> StripeError:
    return StripeError(message, status=HTTPStatus.UNAUTHORIZED)
