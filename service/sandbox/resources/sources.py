"""Sources: made, read and updated by themselves, whoever's they are.

Updating one here tells nobody: no event shows it, only reading Stripe again.
"""

import hmac

from service.sandbox import readers as read
from service.sandbox.changes import in_order
from service.sandbox.errors import Json, StripeError, missing
from service.sandbox.metadata import merged
from service.sandbox.parameters import Parameters
from service.sandbox.resources import cards, mandates, owners, source_orders
from service.sandbox.transaction import Transaction

CHANGING = ("amount", "mandate", "metadata", "owner", "source_order")


def retrieve(tx: Transaction) -> Json:
    """GET /v1/sources/:id."""
    tx.parameters.only("client_secret")
    tx.parameters.refuse_empty("client_secret")
    source = named(tx)
    secret = tx.parameters.text("client_secret")
    if secret and not hmac.compare_digest(secret.encode(), source["client_secret"].encode()):
        raise StripeError(
            "The client_secret provided does not match the client_secret associated with the "
            "Source.",
            param="client_secret",
        )
    return source


def update(tx: Transaction) -> Json:
    """POST /v1/sources/:id; tells of nothing."""
    source = named(tx)
    new = changed(source, tx.parameters, tx.second)
    tx.books.sources[source["id"]] = new
    return new


def changed(source: Json, given: Parameters, second: int) -> Json:
    """Return a Source after an update; what is not posted stays. Raises StripeError."""
    given.only(*CHANGING, source["type"])
    mandates.check(source, given)
    new = (
        source
        | given.changes({"amount": read.amount})
        | source_orders.changed(source, given)
        | {
            "metadata": merged(source["metadata"], given),
            "owner": owners.merged(source["owner"], given),
        }
    )
    if source["type"] in given:
        new = new | _details(source, given.hash(source["type"]), second)
    return in_order(new)


def named(tx: Transaction) -> Json:
    """Return the Source that the path names; raises StripeError."""
    source = tx.books.sources.get(tx.names[0])
    if source is None or source["object"] != "source":
        raise missing("source", tx.names[0])
    return source


def _details(source: Json, details: Parameters, second: int) -> Json:
    """Return the changed hash of the type's own: of a card the expiry and the name, as recorded."""
    kind = source["type"]
    if kind != "card":
        details.only()
        return {}
    details.only("exp_month", "exp_year", "name")
    new = details.changes({"name": read.text}) | cards.new_expiry(source[kind], details, second)
    return {kind: source[kind] | new}
