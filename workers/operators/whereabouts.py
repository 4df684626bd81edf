"""In which namespaces a customer is known: operators give its id, and Stripe's ids are unique."""

from service.keys import Namespace, customer_key
from service.projection import Projection

MODES = ("live", "test")


def namespaces_of(
    projection: Projection, customer: str, *, account: str = "", mode: str | None = None
) -> list[Namespace]:
    """Return where this customer has a document, among the modes of one account."""
    places = [Namespace(account, one) for one in ([mode] if mode else MODES)]
    values = projection.load([customer_key(place, customer) for place in places])
    return [place for place, value in zip(places, values, strict=True) if value is not None]
