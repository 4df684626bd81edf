"""A customer's sources over the API: added, read, listed, updated, verified and deleted."""

from service.sandbox.changes import previous_attributes
from service.sandbox.errors import Json, StripeError, missing
from service.sandbox.lists import PAGING, page
from service.sandbox.metadata import merged
from service.sandbox.parameters import Parameters
from service.sandbox.readers import one_of
from service.sandbox.resources import bank_accounts, bitcoin_receivers, cards, sources, wallet
from service.sandbox.resources.customers import living
from service.sandbox.transaction import Transaction

KIND = one_of("card", "bank_account", "source")


def create(tx: Transaction) -> Json:
    """POST /v1/customers/:id/sources: add a new source, or attach a Source."""
    tx.parameters.only("source", "metadata")
    customer = living(tx)
    source = wallet.obtain(tx, customer["id"])
    source = source | {"metadata": merged(source["metadata"], tx.parameters)}
    wallet.put(tx, source)
    wallet.save(tx, customer, wallet.default_after(tx, customer))
    wallet.tell_added(tx, source)
    return source


def retrieve(tx: Transaction) -> Json:
    """GET /v1/customers/:id/sources/:id."""
    tx.parameters.only()
    return _named(tx)


def list_all(tx: Transaction) -> Json:
    """GET /v1/customers/:id/sources, the most recently added first."""
    given = tx.parameters
    given.only(*PAGING, "object")
    kind = KIND(given, "object") if "object" in given else ""
    return _page(tx, living(tx)["id"], given, kind)


def first_page(tx: Transaction, customer_id: str) -> Json:
    """Return a customer's newest sources, as they are embedded in it."""
    return _page(tx, customer_id, Parameters({}))


def update(tx: Transaction) -> Json:
    """POST /v1/customers/:id/sources/:id."""
    old = _named(tx)
    given = tx.parameters
    if old["object"] == "card":
        new = cards.changed(old, given, tx.second)
    elif old["object"] == "bank_account":
        new = bank_accounts.changed(old, given)
    elif old["object"] == "bitcoin_receiver":
        new = bitcoin_receivers.changed(old, given)
    else:
        new = sources.changed(old, given, tx.second)
    tx.books.sources[old["id"]] = new
    if changes := previous_attributes(old, new):
        # As recorded: an edited bank account does not say what it was before.
        told = None if old["object"] == "bank_account" else changes
        tx.tell("customer.source.updated", new, told)
    return new


def verify(tx: Transaction) -> Json:
    """POST /v1/customers/:id/sources/:id/verify."""
    old = _named(tx)
    if old["object"] != "bank_account":
        raise StripeError("Only bank accounts can be verified.", param="id")
    failed = tx.books.attempts.get(old["id"], 0)
    new = bank_accounts.verified(old, tx.parameters, failed)
    if new is None:
        tx.books.attempts[old["id"]] = failed + 1
        raise StripeError(
            "The amounts provided do not match the amounts that were sent to the bank account.",
            param="amounts",
            keeps_draft=True,
        )
    tx.books.sources[old["id"]] = new
    tx.tell("customer.source.updated", new, previous_attributes(old, new))
    return new


def delete(tx: Transaction) -> Json:
    """DELETE /v1/customers/:id/sources/:id: for good; a Source comes back whole, consumed."""
    tx.parameters.only()
    customer = living(tx)
    source = _named(tx)
    answer = wallet.take(tx, source)
    wallet.save(tx, customer, wallet.default_after(tx, customer))
    wallet.tell_taken(tx, source)
    return answer


def _page(tx: Transaction, customer_id: str, given: Parameters, kind: str = "") -> Json:
    held = tx.books.wallets[customer_id][::-1]
    return page(
        [tx.books.sources[source_id] for source_id in held],
        given,
        kind="source",
        url=f"/v1/customers/{customer_id}/sources",
        wanted=lambda each: kind in ("", each["object"]),
    )


def _named(tx: Transaction) -> Json:
    customer, source_id = living(tx), tx.names[1]
    if source_id not in tx.books.wallets[customer["id"]]:
        raise missing("source", source_id)
    return tx.books.sources[source_id]
