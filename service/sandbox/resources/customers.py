"""Customers: made, read, updated, deleted and listed."""

from service.sandbox import readers as read
from service.sandbox.changes import in_order
from service.sandbox.errors import Json, StripeError, missing, missing_parameter
from service.sandbox.lists import PAGING, created_within, page
from service.sandbox.metadata import merged
from service.sandbox.resources import wallet
from service.sandbox.resources.customer_fields import FIELDS
from service.sandbox.transaction import Transaction

SETTINGS: Json = {"custom_fields": None, "default_payment_method": None, "footer": None}

MAKING = (*FIELDS, "invoice_prefix", "invoice_settings", "metadata", "source")
CHANGING = (*MAKING, "default_source")


def create(tx: Transaction) -> Json:
    """POST /v1/customers."""
    given = tx.parameters
    given.only(*MAKING)
    customer: Json = {
        "id": tx.ids.short("cus"),
        "object": "customer",
        **dict.fromkeys(FIELDS),
        "balance": 0,
        "created": tx.second,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "discount": None,
        "invoice_prefix": given.text("invoice_prefix") or tx.ids.invoice_prefix(),
        "invoice_settings": SETTINGS,
        "livemode": False,
        "metadata": merged({}, given),
        "preferred_locales": [],
        "tax_exempt": "none",
        "test_clock": None,
    }
    customer = in_order(customer | given.changes(FIELDS))
    tx.books.wallets[customer["id"]] = ()
    customer = customer | _settings(tx, customer)
    source = wallet.obtain(tx, customer["id"]) if given.value("source") else None
    if source:
        wallet.put(tx, source)
        customer = wallet.default_after(tx, customer)
    tx.books.customers[customer["id"]] = customer
    tx.tell("customer.created", customer)
    if source:
        tx.tell("customer.source.created", source)
    return customer


def retrieve(tx: Transaction) -> Json:
    """GET /v1/customers/:id; a deleted customer is answered as a stub."""
    tx.parameters.only()
    customer = tx.books.customers.get(tx.names[0])
    if customer is None:
        raise missing("customer", tx.names[0])
    return customer


def update(tx: Transaction) -> Json:
    """POST /v1/customers/:id."""
    given = tx.parameters
    given.only(*CHANGING)
    old = living(tx)
    new = old | given.changes(FIELDS) | {"metadata": merged(old["metadata"], given)}
    if "invoice_prefix" in given:
        new = new | {"invoice_prefix": given.needed("invoice_prefix")}
    new = new | _settings(tx, old) | _default(tx, old)
    given.refuse_empty("source")
    if "source" in given:
        return _replace_default(tx, old, new)
    wallet.save(tx, old, new)
    return new


def delete(tx: Transaction) -> Json:
    """DELETE /v1/customers/:id: for good, and without a word about the sources."""
    tx.parameters.only()
    customer = living(tx)
    stub = {"id": customer["id"], "object": "customer", "deleted": True}
    tx.books.customers[customer["id"]] = stub
    tx.tell("customer.deleted", customer)
    return stub


def list_all(tx: Transaction) -> Json:
    """GET /v1/customers: those that are not deleted."""
    given = tx.parameters
    given.only(*PAGING, "created", "email")
    created, email = created_within(given), given.text("email")
    living_ones = [each for each in tx.books.customers.values() if not each.get("deleted")]
    return page(
        living_ones[::-1],
        given,
        kind="customer",
        url="/v1/customers",
        wanted=lambda each: created(each) and (email is None or each["email"] == email),
    )


def living(tx: Transaction) -> Json:
    """Return the customer that the path names; raises StripeError also for a deleted one."""
    customer = tx.books.customers.get(tx.names[0])
    if customer is None or customer.get("deleted"):
        raise missing("customer", tx.names[0])
    return customer


def _default(tx: Transaction, customer: Json) -> Json:
    """Return the default source that is asked for."""
    given = tx.parameters
    given.refuse_empty("default_source")
    wanted = given.text("default_source")
    if wanted is None:
        return {}
    if "source" in given:
        raise StripeError("You may only specify one of these parameters: source, default_source.")
    if wanted not in tx.books.wallets[customer["id"]]:
        raise missing_parameter("source", wanted, "default_source")
    return {"default_source": wanted}


def _replace_default(tx: Transaction, old: Json, new: Json) -> Json:
    """Add a source, make it the default and delete the one that was, as Stripe documents."""
    source = wallet.obtain(tx, old["id"])
    wallet.put(tx, source)
    replaced = tx.books.sources.get(old["default_source"] or "")
    new = new | {"default_source": source["id"]}
    if replaced:
        wallet.take(tx, replaced)
    wallet.save(tx, old, new)
    wallet.tell_added(tx, source)
    if replaced:
        wallet.tell_taken(tx, replaced)
    return new


def _settings(tx: Transaction, customer: Json) -> Json:
    given = tx.parameters.hash("invoice_settings")
    given.only("default_payment_method", "footer")
    values = given.changes({"default_payment_method": read.text, "footer": read.text})
    wanted = values.get("default_payment_method")
    if wanted and wanted not in tx.books.wallets[customer["id"]]:
        param = given.param("default_payment_method")
        raise missing_parameter("PaymentMethod", wanted, param)
    return {"invoice_settings": customer["invoice_settings"] | values}
