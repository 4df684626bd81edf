"""The signature: proof that Stripe sent these bytes, checked before anything in them is read.

`Stripe-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>…][,v0=…]`, where each v1 is HMAC-SHA256 over
`<t>.<body>` with an endpoint's secret: https://docs.stripe.com/webhooks/signature
"""

import hmac
import re
from collections.abc import Sequence

TOLERANCE_SECONDS = 300
"""Stripe's own: how old a delivery may be, and so how long a stolen one can be sent again."""

HEADER_LIMIT = 16_384
"""Characters: room for hundreds of signatures; a header that is meant to cost us is longer."""

_TIME = re.compile(r"[+-]?[0-9]{1,19}")
_HEX_LENGTH = 64


class SignatureError(Exception):
    """The delivery is not signed as it must be; `reason` says in one word what is wrong."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def verify(
    body: bytes,
    header: str,
    secrets: Sequence[str],
    *,
    now: float,
    tolerance: int = TOLERANCE_SECONDS,
) -> None:
    """Return if one of the secrets signed this body at most `tolerance` seconds from now.

    Raises:
        SignatureError: it is not so. The reasons: missing_secret, missing_header,
            malformed_header, no_expected_scheme, no_valid_signature, timestamp_outside_tolerance.

    """
    match(body, header, secrets, now=now, tolerance=tolerance)


def match(
    body: bytes,
    header: str,
    secrets: Sequence[str],
    *,
    now: float,
    tolerance: int = TOLERANCE_SECONDS,
) -> int:
    """Return which of the secrets signed this body; otherwise like verify.

    While an endpoint's secret is being rolled Stripe signs with both, and whoever operates this
    wants to know when the old one may go. Blank secrets never match.
    """
    if not "".join(secrets).strip():
        raise SignatureError("missing_secret")
    time, candidates = _parse(header)
    found = _find(f"{time}.".encode() + body, candidates, secrets)
    if found is None:
        raise SignatureError("no_valid_signature")
    if abs(now - time) > tolerance:
        raise SignatureError("timestamp_outside_tolerance")
    return found


def sign(body: bytes, secret: str, *, now: float) -> str:
    """Return the header that Stripe would send with this body."""
    time = int(now)
    return f"t={time},v1={_hex(f'{time}.'.encode() + body, secret)}"


def _parse(header: str) -> tuple[int, list[str]]:
    """Return the time and every v1. Of several times the first counts, as in most of Stripe's."""
    if not header:
        raise SignatureError("missing_header")
    if len(header) > HEADER_LIMIT:
        raise SignatureError("malformed_header")
    times: list[str] = []
    candidates: list[str] = []
    for part in header.split(","):
        scheme, equals, value = part.partition("=")
        if scheme in ("t", "v1"):
            if not equals:
                raise SignatureError("malformed_header")
            (times if scheme == "t" else candidates).append(value)
    if not times or not _TIME.fullmatch(times[0]):
        raise SignatureError("malformed_header")
    if not candidates:
        raise SignatureError("no_expected_scheme")
    return int(times[0]), candidates


def _find(signed: bytes, candidates: list[str], secrets: Sequence[str]) -> int | None:
    plausible = [one for one in candidates if len(one) == _HEX_LENGTH and one.isascii()]
    for index, secret in enumerate(secrets):
        if plausible and secret.strip():
            expected = _hex(signed, secret)
            for candidate in plausible:
                if hmac.compare_digest(expected, candidate):
                    return index
    return None


def _hex(signed: bytes, secret: str) -> str:
    return hmac.digest(secret.encode(errors="surrogatepass"), signed, "sha256").hex()
