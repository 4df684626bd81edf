"""What a customer can be charged on: sources added, attached, taken away, and the default.

A customer without a default gets the added source as default, otherwise the default stays; when
the default goes, the most recently added of those that remain takes its place.
"""

from service.sandbox.changes import in_order, previous_attributes
from service.sandbox.errors import Json, StripeError, missing_parameter
from service.sandbox.metadata import merged
from service.sandbox.parameters import Parameters
from service.sandbox.resources import bank_accounts, bitcoin_receivers, cards, tokens
from service.sandbox.resources.card_numbers import REFUSED, refusal
from service.sandbox.resources.payment_method_views import has_view, view
from service.sandbox.transaction import Transaction

ATTACHABLE = frozenset({"chargeable", "pending"})


def obtain(tx: Transaction, customer_id: str) -> Json:
    """Return the source that the parameter `source` means, as this customer's; raises StripeError.

    It is a token, the id of a Source, or a hash of attributes. Nothing is in the wallet yet.
    """
    tx.parameters.require("source")
    if isinstance(tx.parameters.value("source"), str):
        named = tx.parameters.text("source") or ""
        source = (
            _attachable(tx, named, customer_id)
            if named.startswith("src_")
            else tokens.redeem(tx, named, "source")
        )
    else:
        source = _described(tx, tx.parameters.hash("source"))
    source = in_order(source | {"customer": customer_id})
    if source["object"] == "bank_account":
        _refuse_twin(tx, source)
    return source


def put(tx: Transaction, source: Json) -> None:
    """Put a source into its customer's wallet, as the newest one."""
    customer_id = source["customer"]
    tx.books.sources[source["id"]] = source
    tx.books.born.setdefault(source["id"], tx.second)
    tx.books.wallets[customer_id] = (*tx.books.wallets[customer_id], source["id"])


def take(tx: Transaction, source: Json) -> Json:
    """Take a source out of its customer's wallet for good, and return Stripe's answer to that."""
    customer_id, source_id = source["customer"], source["id"]
    tx.books.wallets[customer_id] = tuple(
        each for each in tx.books.wallets[customer_id] if each != source_id
    )
    if source["object"] == "source":
        left = {key: value for key, value in source.items() if key != "customer"}
        answer = left | {"status": "consumed"}
    else:
        answer = {"id": source_id, "object": source["object"], "deleted": True}
    tx.books.sources[source_id] = answer
    return answer


def default_after(tx: Transaction, customer: Json) -> Json:
    """Return a customer whose default is right for what is in the wallet now."""
    wallet = tx.books.wallets[customer["id"]]
    if customer["default_source"] in wallet:
        return customer
    return customer | {"default_source": wallet[-1] if wallet else None}


def save(tx: Transaction, old: Json, new: Json) -> None:
    """Keep a changed customer and tell what changed, if anything did."""
    tx.books.customers[new["id"]] = new
    if changes := previous_attributes(old, new):
        tx.tell("customer.updated", new, changes)


def tell_added(tx: Transaction, source: Json) -> None:
    """Tell that a source was added to a customer who was there before."""
    if has_view(source):
        tx.tell("payment_method.attached", view(tx, source))
    tx.tell("customer.source.created", source)


def tell_taken(tx: Transaction, source: Json) -> None:
    """Tell that a source was taken: a Source names no customer then, a card and others do."""
    gone = tx.books.sources[source["id"]] if source["object"] == "source" else source
    tx.tell("customer.source.deleted", gone)
    if has_view(source):
        detached = view(tx, source) | {"customer": None}
        tx.tell("payment_method.detached", detached, {"customer": source["customer"]})


def _attachable(tx: Transaction, source_id: str, customer_id: str) -> Json:
    """Return a Source that may be attached, with the metadata that may come along."""
    source = tx.books.sources.get(source_id)
    if source is None:
        raise missing_parameter("source", source_id, "source")
    if source["status"] not in ATTACHABLE:
        raise StripeError(
            "The source you provided cannot be attached to the customer. It must be chargeable or "
            "pending.",
            param="source",
        )
    if "customer" in source:
        already = "this" if source["customer"] == customer_id else "a"
        raise StripeError(
            f"The source you provided has already been attached to {already} customer.",
            param="source",
        )
    if source["type"] == "card":
        source = source | {"card": _checked(tx, source["card"])}
    return source


def _checked(tx: Transaction, card: Json) -> Json:
    """Return the card of a Source as the issuer leaves it; raises its refusal."""
    for number in REFUSED:
        if tx.ids.fingerprint(number) == card["fingerprint"] and (error := refusal(number)):
            raise error
    return card | {"cvc_check": "pass"} if card["cvc_check"] == "unchecked" else card


def _described(tx: Transaction, given: Parameters) -> Json:
    """Return a new card, bank account or bitcoin receiver made of a hash of attributes."""
    kind = given.needed("object")
    if kind == "card":
        given.only(*cards.MAKING)
        plastic = cards.of_number(given, tx.second)
        if error := refusal(plastic.number):
            raise error
        return cards.card(tx.ids.of_second("card", tx.second), plastic, given, tx.ids)
    if kind == "bank_account":
        given.only(*bank_accounts.MAKING)
        account_id = tx.ids.of_second("ba", tx.second)
        made = bank_accounts.of_numbers(account_id, given, tx.ids)
        return made | {"metadata": merged({}, given)}
    if kind == "bitcoin_receiver":
        given.only(*bitcoin_receivers.MAKING)
        receiver_id = tx.ids.of_second("btcrcv", tx.second)
        return bitcoin_receivers.receiver(receiver_id, given, tx.ids, tx.second)
    raise StripeError(f"'{kind}' is not a supported source object.", param=given.param("object"))


def _refuse_twin(tx: Transaction, account: Json) -> None:
    for source_id in tx.books.wallets.get(account["customer"], ()):
        other = tx.books.sources[source_id]
        if other["object"] == "bank_account" and other["fingerprint"] == account["fingerprint"]:
            raise StripeError(
                "A bank account with that routing number and account number already exists for "
                "this customer.",
                code="bank_account_exists",
            )
