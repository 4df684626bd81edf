"""Webhook endpoints: where events are delivered, and how each delivery is signed."""

from typing import NamedTuple
from urllib.parse import urlsplit

from service.signature import sign


class EndpointError(ValueError):
    """An endpoint that nothing can be delivered to; the message is a sentence."""


class Endpoint(NamedTuple):
    """One endpoint."""

    url: str
    secrets: tuple[str, ...]
    """Its signing secret; two while it is being rolled."""

    def signature(self, body: bytes, *, now: float) -> str:
        """Return the Stripe-Signature header: a v1 for each secret."""
        first, *others = (sign(body, secret, now=now) for secret in self.secrets)
        return ",".join([first, *(other.partition(",")[2] for other in others)])


def endpoint(url: str, secrets: str) -> Endpoint:
    """Return an endpoint; `secrets` are comma-separated. Raises EndpointError."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise EndpointError(
            f"{url} is no endpoint; it must look like http://127.0.0.1:8000/webhooks/stripe"
        )
    known = tuple(secret.strip() for secret in secrets.split(",") if secret.strip())
    if not known:
        raise EndpointError(f"The endpoint {url} needs a secret to sign with.")
    return Endpoint(url, known)
