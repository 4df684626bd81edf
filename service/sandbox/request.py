"""A request on its way: parameters as text, a second, and the id it will be known by."""

from typing import NamedTuple

from service.sandbox.forms import Form


class Request(NamedTuple):
    """One request."""

    id: str
    method: str
    path: str
    parameters: Form
    key: str
    """The idempotency key; empty where it does not count."""
    second: int
