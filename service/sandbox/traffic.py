"""Traffic: what the customers of a busy shop do with their payment sources, at random.

The same seed does the same things again. Nothing is done that no event tells of: a Source is never
updated through `/v1/sources`, which no webhook endpoint could hear.
"""

from collections.abc import Callable, Mapping
from random import Random

from service.sandbox.clock import ManualClock
from service.sandbox.errors import Json
from service.sandbox.forms import Given
from service.sandbox.stripe import Answer, Stripe

TIED_SHARE = 0.4
"""How many operations follow in the very second of the one before."""

LONGEST_PAUSE_SECONDS = 3

CARD_TOKENS = ("tok_visa", "tok_mastercard", "tok_amex", "tok_discover", "tok_de", "tok_jcb")


class Traffic:
    """Random operations on one Stripe, whose clock it moves."""

    def __init__(self, stripe: Stripe, clock: ManualClock, seed: int) -> None:
        self._stripe = stripe
        self._clock = clock
        self._random = Random(f"traffic {seed}")  # noqa: S311 - no secret hangs on it
        self.customers: list[str] = []
        """Everyone there has been, the deleted ones too."""
        self.sources: dict[str, str] = {}
        """Every source there has been, with the customer it was added to."""
        self._deleted: set[str] = set()
        self._doings: Mapping[Callable[[str], Answer], int] = {
            self._add_card: 20,
            self._attach_source: 14,
            self._add_bank_account: 5,
            self._choose_default: 12,
            self._remove: 14,
            self._edit_card: 8,
            self._edit_payment_method: 8,
            self._network_update: 4,
            self._edit_customer: 8,
            self._delete_customer: 1,
        }

    def operate(self) -> Answer:
        """Do the next thing and return Stripe's answer to it."""
        if self._random.random() > TIED_SHARE:
            self._clock.advance(self._random.randint(1, LONGEST_PAUSE_SECONDS))
        living = [customer for customer in self.customers if customer not in self._deleted]
        if not living or self._random.random() < 1 / (4 + len(living) / 25):
            return self._create_customer()
        (doing,) = self._random.choices([*self._doings], [*self._doings.values()])
        # Those who have just done something come back soonest: that is what makes ties.
        recent = living[-1 - int(len(living) * self._random.random() ** 3)]
        return doing(recent)

    def _create_customer(self) -> Answer:
        number = len(self.customers) + 1
        details: dict[str, Given] = {"name": f"Customer {number}", "metadata": {"number": number}}
        if self._random.random() < 1 / 2:
            details["source"] = self._random.choice(CARD_TOKENS)
        answer = self._stripe.call("POST", "/v1/customers", details)
        customer = str(answer.body["id"])
        self.customers.append(customer)
        if default := answer.body.get("default_source"):
            self.sources[str(default)] = customer
        return answer

    def _add_card(self, customer: str) -> Answer:
        return self._added(customer, {"source": self._random.choice(CARD_TOKENS)})

    def _add_bank_account(self, customer: str) -> Answer:
        account: Given = {
            "object": "bank_account",
            "country": "US",
            "currency": "usd",
            "routing_number": "110000000",
            "account_number": f"{self._random.getrandbits(36):012d}",
        }
        return self._added(customer, {"source": account})

    def _attach_source(self, customer: str) -> Answer:
        made = self._stripe.call("POST", "/v1/sources", {"type": "card", "token": "tok_visa"})
        attached = self._added(customer, {"source": str(made.body["id"])})
        return attached._replace(events=made.events + attached.events)

    def _added(self, customer: str, details: Mapping[str, Given]) -> Answer:
        answer = self._stripe.call("POST", f"/v1/customers/{customer}/sources", details)
        self.sources[str(answer.body["id"])] = customer
        return answer

    def _choose_default(self, customer: str) -> Answer:
        source = self._any_source(customer)
        if source is None:
            return self._add_card(customer)
        chosen = {"default_source": str(source["id"])}
        return self._stripe.call("POST", f"/v1/customers/{customer}", chosen)

    def _remove(self, customer: str) -> Answer:
        source = self._any_source(customer)
        if source is None:
            return self._add_card(customer)
        return self._stripe.call("DELETE", f"/v1/customers/{customer}/sources/{source['id']}")

    def _edit_card(self, customer: str) -> Answer:
        source = self._any_source(customer, "card")
        if source is None:
            return self._add_card(customer)
        change: dict[str, Given] = {"exp_year": self._year(), "metadata": {"edited": self._word()}}
        return self._stripe.call("POST", f"/v1/customers/{customer}/sources/{source['id']}", change)

    def _edit_payment_method(self, customer: str) -> Answer:
        source = self._any_source(customer, "card", "source")
        if source is None:
            return self._attach_source(customer)
        change: dict[str, Given] = {
            "card": {"exp_year": self._year()},
            "metadata": {"noted": self._word()},
        }
        return self._stripe.call("POST", f"/v1/payment_methods/{source['id']}", change)

    def _network_update(self, customer: str) -> Answer:
        source = self._any_source(customer, "card", "source")
        if source is None:
            return self._attach_source(customer)
        path = f"/v1/test_helpers/sources/{source['id']}/network_update"
        return self._stripe.call("POST", path, {"exp_year": self._year()})

    def _edit_customer(self, customer: str) -> Answer:
        change: dict[str, Given] = {
            "metadata": {"visited": self._word()},
            "description": self._word(),
        }
        return self._stripe.call("POST", f"/v1/customers/{customer}", change)

    def _delete_customer(self, customer: str) -> Answer:
        self._deleted.add(customer)
        return self._stripe.call("DELETE", f"/v1/customers/{customer}")

    def _any_source(self, customer: str, *kinds: str) -> Json | None:
        """Return one of a customer's sources, of one of these kinds if any are named."""
        path = f"/v1/customers/{customer}/sources"
        listed = self._stripe.call("GET", path, {"limit": 100}).body["data"]
        fitting = [source for source in listed if not kinds or source["object"] in kinds]
        return self._random.choice(fitting) if fitting else None

    def _year(self) -> int:
        return self._random.randint(2027, 2060)

    def _word(self) -> str:
        return f"{self._random.getrandbits(32):08x}"
