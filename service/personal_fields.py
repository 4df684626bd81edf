"""The table of personal fields: what they are called in Stripe's objects, in the setting's groups.

A field counts wherever it stands, so that a kind of object that Stripe makes tomorrow is covered
today; but not where the same words speak of no person.
"""

from collections.abc import Mapping


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PARTS_OF_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state", "zip")

GROUPS: Mapping[str, frozenset[str]] = {
    "name": _names(
        "name first_name last_name shipping_first_name shipping_last_name individual_name "
        "business_name verified_name account_holder_name refund_account_holder_name "
        "cardholder_name sender_name customer_data username cashtag"
    ),
    "email": _names("email verified_email payer_email"),
    "phone": _names("phone verified_phone"),
    "address": _names("address verified_address billing_address shipping_address location")
    | {
        f"{whose}address_{part}"
        for whose in ("", "refund_account_holder_", "sender_")
        for part in _PARTS_OF_ADDRESS
    },
    "identity": _names(
        "dob tax_id tax_ids tax_info tax_info_verification business_vat_id refund_iban "
        "refund_account_number sender_iban sender_account_number sender_sort_code"
    ),
    "device": _names("ip ip_address user_agent"),
    "owner": _names("owner"),
}

IMPERSONAL = _names(
    "metadata discount discounts plan subscription subscriptions invoice_settings receiver bitcoin"
)
"""Inside these the names mean something else: a coupon, a plan, an account to pay to. What metadata
means only the user knows."""

NEVER_NULL = _names(
    "shipping.address source_order.email first_name last_name shipping_first_name "
    "shipping_last_name sender_name sender_iban sender_account_number sender_sort_code "
    "sender_address_country sender_address_line1 customer_data tax_ids tax_id"
)
"""Of these Stripe shows a value or no field at all, but never null; some only inside another."""
