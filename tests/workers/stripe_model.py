"""A small model of Stripe: it changes customers and sources, tells of it, and knows the truth.

What it does and what it tells is what is known of Stripe; what is not known is a choice of its
`World`. Chance comes from outside, so that a seed or a property-testing library can own it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = dict[str, Any]

START = 1_700_000_000
OLD_VERSION, NEW_VERSION = "2019-12-03", "2020-08-27"

_SHARED = {"metadata", "owner", "card", "exp_month", "exp_year", "name", "address_city"}
"""Fields of a card or Source that its PaymentMethod shows too."""


@dataclass(frozen=True)
class World:
    """What is unknown of Stripe, or differs between those who listen to it."""

    name: str
    ties: float = 0.0
    """How probably the next operation falls into the same second."""
    over_two_seconds: float = 0.0
    """How probably the events of one operation are of two seconds."""
    embeds: bool = False
    """Customers come with their whole list of sources."""
    twice: bool = False
    """One change is told by two events."""
    renderings: bool = False
    """Two endpoints of two API versions listen: every event comes in both."""
    promotion_told: bool = True
    """Removing a default with others left sends `customer.updated`."""
    updates_told: bool = True
    """The endpoint is subscribed to `customer.updated`."""
    explicit: bool = True
    """Somebody sets default sources."""
    silent: bool = True
    """Things change that no event tells."""


@dataclass
class Truth:
    """What a reader of Stripe would see at the end."""

    customers: dict[str, Json] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    attached: dict[str, list[str]] = field(default_factory=dict)
    """By customer, newest first."""
    sources: dict[str, Json] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    silent: dict[str, dict[str, int]] = field(default_factory=dict)
    """By object: fields that changed silently and no event of a later second has shown since."""


class Stripe:
    """One account: `live` lets things happen, `events` is what it tells, in its own order."""

    def __init__(self, chance: Random, world: World) -> None:
        self.chance = chance
        self.world = world
        self.now = START
        self.truth = Truth()
        self.events: list[Json] = []
        self._told: list[Json] = []
        self._made = 0
        self._renewed_to = 2040

    def live(self, operations: int) -> None:
        """Let this many things happen, the first customer's creation first."""
        self.create_customer()
        for _ in range(operations):
            if self.chance.random() >= self.world.ties:
                self.now += 1 + self.chance.randrange(3)
            self.chance.choice(self._possible())()

    def bodies(self) -> list[bytes]:
        """Return the events as they are delivered, in Stripe's own order."""
        return [msgspec.json.encode(event) for event in self.events]

    # --- what can happen -------------------------------------------------------------------------

    def _possible(self) -> list[Callable[[], None]]:
        """Return what can happen now; more often what the product is about."""
        truth = self.truth
        living = [c for c in truth.customers if c not in truth.deleted]
        attached = [(c, s) for c in living for s in truth.attached[c]]
        held = [s for _, s in attached]
        possible: list[Callable[[], None]] = [self.make_source]
        if len(truth.customers) < 2:
            possible.append(self.create_customer)
        if living:
            possible += [self._with(self.add, living)] * 4
            possible += [self._with(self.update_customer, living)] * 3
            possible.append(self._with(self.delete_customer, living))
            if loose := [
                s
                for s in truth.sources
                if "customer" not in truth.sources[s] and s not in truth.removed
            ]:
                possible += [lambda: self.attach(self._one(living), self._one(loose))] * 3
            if self.world.silent:
                possible.append(self._with(self.discount_silently, living))
        if attached:
            possible += [lambda: self.remove(*self._one(attached))] * 3
            possible += [self._with(self.update_source, held)] * 3
            possible.append(self._with(self.update_by_network, held))
            possible.append(self._with(self.expire, held))
            if self.world.explicit:
                possible += [lambda: self.set_default(*self._one(attached))] * 3
            quiet = [s for s in held if truth.sources[s]["object"] == "source"]
            if self.world.silent and quiet:
                possible.append(self._with(self.update_silently, quiet))
        return possible

    def create_customer(self) -> None:
        """Create a customer, with a card or without."""
        customer = self._id("cus")
        self.truth.customers[customer] = {
            "id": customer,
            "object": "customer",
            "created": self.now,
            "default_source": None,
            "discount": None,
            "email": None,
            "metadata": {},
            "name": "a",
        }
        self.truth.attached[customer] = []
        with self._request() as request:
            if self.chance.random() < 0.4:
                card = self._new(self.chance.choice(["card", "bank_account"]))
                self._put(customer, card)
                self._tell_customer("customer.created", customer, request)
                self._tell_source("customer.source.created", card, request)
            else:
                self._tell_customer("customer.created", customer, request)

    def make_source(self) -> None:
        """Make a Source that is nobody's."""
        with self._request() as request:
            self._tell_source("source.chargeable", self._new("source"), request)

    def add(self, customer: str) -> None:
        """Add a card or a bank account."""
        self.attach(customer, self._new(self.chance.choice(["card", "card", "bank_account"])))

    def attach(self, customer: str, source: str) -> None:
        """Attach what there is; the first one becomes the default."""
        before = deepcopy(self.truth.customers[customer])
        with self._request() as request:
            self._put(customer, source)
            self._tell_customer("customer.updated", customer, request, before)
            if self._has_second_view(source):
                self._tell_view("payment_method.attached", source, request)
            self._tell_source("customer.source.created", source, request)

    def set_default(self, customer: str, source: str) -> None:
        """Make another of its sources the default."""
        before = deepcopy(self.truth.customers[customer])
        with self._request() as request:
            self.truth.customers[customer]["default_source"] = source
            self._tell_customer("customer.updated", customer, request, before)

    def update_customer(self, customer: str) -> None:
        """Change a name or metadata."""
        fields = self.truth.customers[customer]
        before = deepcopy(fields)
        with self._request() as request:
            if self.chance.random() < 0.5:
                fields["name"] = self.chance.choice("abc")
            else:
                self._edit(fields["metadata"])
            self._tell_customer("customer.updated", customer, request, before)

    def discount_silently(self, customer: str) -> None:
        """Give or take a discount, of which no event of ours tells."""
        self._silently(customer, "discount", self.chance.choice([None, {"id": "di_1"}]))

    def delete_customer(self, customer: str) -> None:
        """Delete a customer; nothing is told of its sources, but for a late change of one."""
        cards = [s for s in self.truth.attached[customer] if self._has_second_view(s)]
        with self._request() as request:
            self._tell_customer("customer.deleted", customer, request)
            if cards and self.chance.random() < 0.5:
                late = self._one(cards)
                before = self._view(late)
                self._edit(self.truth.sources[late]["metadata"])
                self._tell_view("payment_method.updated", late, request, before)
        self.truth.deleted.add(customer)
        self.truth.attached[customer] = []

    def remove(self, customer: str, source: str) -> None:
        """Detach or delete a source; the most recently added of the rest takes its place."""
        truth = self.truth
        before = deepcopy(truth.customers[customer])
        with self._request() as request:
            rest = truth.attached[customer]
            rest.remove(source)
            was_default = before["default_source"] == source
            if was_default:
                truth.customers[customer]["default_source"] = rest[0] if rest else None
            truth.removed.add(source)
            if not rest or self.world.promotion_told:
                self._tell_customer("customer.updated", customer, request, before)
            fields = truth.sources[source]
            if fields["object"] == "source":
                del fields["customer"]
                fields["status"] = "consumed"
            self._tell_source("customer.source.deleted", source, request)
            if self._has_second_view(source):
                view = self._view(source) | {"customer": None}
                self._tell(
                    "payment_method.detached", view, request, previous={"customer": customer}
                )

    def update_source(self, source: str) -> None:
        """Change a source through one of the two APIs that tell of it."""
        fields = self.truth.sources[source]
        before, view_before = deepcopy(fields), self._view(source)
        with self._request() as request:
            if fields["object"] == "bank_account":
                if fields["status"] == "new":
                    fields["status"] = "verified"
                    self._tell_source("customer.source.updated", source, request, before)
                else:
                    self._edit(fields["metadata"])
                    self._tell_source("customer.source.updated", source, request)
                return
            self._change(fields)
            if fields["object"] == "source" or self.chance.random() < 0.5:
                self._tell_view("payment_method.updated", source, request, view_before)
                return
            self._tell_source("customer.source.updated", source, request, before)
            if self.world.twice:
                self._tell_view("payment_method.updated", source, request, view_before)

    def update_by_network(self, source: str) -> None:
        """Let the card's network renew it: no request of anybody's."""
        fields = self.truth.sources[source]
        if fields["object"] == "bank_account":
            return
        before, view_before = deepcopy(fields), self._view(source)
        with self._request() as _:
            self._renewed_to += 1
            self._card_of(fields)["exp_year"] = self._renewed_to
            if self.chance.random() < 0.5:
                self._tell_source("customer.source.updated", source, None, before)
            else:
                self._tell_view("payment_method.automatically_updated", source, None, view_before)

    def expire(self, source: str) -> None:
        """Tell that a card will expire: a snapshot that changes nothing."""
        if self.truth.sources[source]["object"] == "card":
            with self._request() as _:
                self._tell_source("customer.source.expiring", source, None)

    def update_silently(self, source: str) -> None:
        """Change a Source through its own API: Stripe tells nothing at all."""
        fields = self.truth.sources[source]
        if self.chance.random() < 0.5:
            metadata = deepcopy(fields["metadata"])
            self._edit(metadata)
            self._silently(source, "metadata", metadata)
        else:
            self._silently(source, "amount", self.chance.randrange(3))

    # --- how it is done --------------------------------------------------------------------------

    def _with(self, operation: Callable[[str], None], ids: list[str]) -> Callable[[], None]:
        return lambda: operation(self._one(ids))

    def _one(self, choices: list[Any]) -> Any:
        return self.chance.choice(choices)

    def _id(self, prefix: str) -> str:
        """Return an id that tells nothing of the order: the worst case."""
        self._made += 1
        return f"{prefix}_{self.chance.randrange(1000):03d}x{self._made}"

    def _new(self, kind: str) -> str:
        prefix = {"card": "card", "bank_account": "ba", "source": "src"}[kind]
        source = self._id(prefix)
        fields: Json = {"id": source, "object": kind}
        if kind == "card":
            fields |= {"exp_month": 1, "exp_year": 2030, "name": None, "address_city": None}
        elif kind == "bank_account":
            fields |= {"last4": "6789", "status": "new"}
        else:
            fields |= {
                "amount": 0,
                "card": {"exp_month": 1, "exp_year": 2030},
                "owner": {"name": None, "email": None, "phone": None, "address": None},
                "status": "chargeable",
                "type": "card",
            }
        self.truth.sources[source] = fields | {"metadata": {}}
        return source

    def _put(self, customer: str, source: str) -> None:
        self.truth.sources[source]["customer"] = customer
        self.truth.attached[customer].insert(0, source)
        if self.truth.customers[customer]["default_source"] is None:
            self.truth.customers[customer]["default_source"] = source

    def _change(self, fields: Json) -> None:
        choice = self.chance.randrange(3)
        if choice == 0:
            self._edit(fields["metadata"])
        elif choice == 1:
            self._card_of(fields)["exp_year"] = 2030 + self.chance.randrange(3)
        else:
            owner = fields if fields["object"] == "card" else fields["owner"]
            owner["name"] = self.chance.choice([None, "a", "b"])

    def _edit(self, metadata: Json) -> None:
        key = self.chance.choice("kl")
        if key in metadata and self.chance.random() < 0.3:
            del metadata[key]
        else:
            metadata[key] = self.chance.choice("123")

    def _silently(self, subject: str, name: str, value: object) -> None:
        objects = self.truth.customers if subject in self.truth.customers else self.truth.sources
        objects[subject][name] = value
        self.truth.silent.setdefault(subject, {})[name] = self.now

    @staticmethod
    def _card_of(fields: Json) -> Json:
        card: Json = fields if fields["object"] == "card" else fields["card"]
        return card

    def _has_second_view(self, source: str) -> bool:
        return bool(self.truth.sources[source]["object"] != "bank_account")

    def _view(self, source: str) -> Json:
        """Return a source as its PaymentMethod."""
        fields = self.truth.sources[source]
        if fields["object"] == "bank_account":
            return {}
        card = self._card_of(fields)
        owner = fields if fields["object"] == "card" else fields["owner"]
        return {
            "id": source,
            "object": "payment_method",
            "billing_details": {
                "address": {"city": fields.get("address_city"), "line1": None},
                "email": None,
                "name": owner["name"],
                "phone": None,
            },
            "card": {"exp_month": card["exp_month"], "exp_year": card["exp_year"]},
            "customer": fields.get("customer"),
            "metadata": deepcopy(fields["metadata"]),
            "type": "card",
        }

    # --- how it is told --------------------------------------------------------------------------

    @contextmanager
    def _request(self) -> Iterator[str]:
        """Gather the events of one request, and send them at its end."""
        self._made += 1
        yield f"req_{self._made}"
        told, self._told = self._told, []
        later = len(told)
        if len(told) > 1 and self.chance.random() < self.world.over_two_seconds:
            later = 1 + self.chance.randrange(len(told) - 1)
        for place, event in enumerate(told):
            event["created"] = self.now + (place >= later)
            self._shown(event)
            self.events += self._renderings(event)
        if later < len(told):
            self.now += 1

    def _tell_customer(
        self, event_type: str, customer: str, request: str, before: Json | None = None
    ) -> None:
        fields = deepcopy(self.truth.customers[customer])
        previous = None if before is None else changes(before, fields)
        if previous == {} or (event_type == "customer.updated" and not self.world.updates_told):
            return
        if self.world.embeds:
            data = [deepcopy(self.truth.sources[s]) for s in self.truth.attached[customer]]
            fields["sources"] = {"object": "list", "data": data, "has_more": False}
        self._tell(event_type, fields, request, previous=previous)
        if self.world.twice and previous and self.chance.random() < 0.5:
            self._tell(event_type, fields, request, previous=previous)

    def _tell_source(
        self, event_type: str, source: str, request: str | None, before: Json | None = None
    ) -> None:
        fields = deepcopy(self.truth.sources[source])
        previous = None if before is None else changes(before, fields)
        if previous != {}:
            self._tell(event_type, fields, request, previous=previous)

    def _tell_view(
        self, event_type: str, source: str, request: str | None, before: Json | None = None
    ) -> None:
        view = self._view(source)
        previous = None if before is None else changes(before, view)
        if previous != {}:
            self._tell(event_type, view, request, previous=previous)

    def _tell(
        self, event_type: str, fields: Json, request: str | None, *, previous: Json | None
    ) -> None:
        self._made += 1
        data: Json = {"object": fields}
        if previous is not None:
            data["previous_attributes"] = previous
        self._told.append(
            {
                "id": f"evt_{self.chance.randrange(1000):03d}x{self._made}",
                "object": "event",
                "api_version": NEW_VERSION,
                "created": self.now,
                "data": data,
                "livemode": False,
                "request": {"id": request, "idempotency_key": None},
                "type": event_type,
            }
        )

    def _renderings(self, event: Json) -> list[Json]:
        if not self.world.renderings:
            return [event]
        old = deepcopy(event) | {"api_version": OLD_VERSION}
        old["data"]["object"]["legacy"] = True
        return [event, old]

    def _shown(self, event: Json) -> None:
        """Note what an event shows of that which had changed silently in an earlier second."""
        fields = event["data"]["object"]
        shown = _SHARED if fields["object"] == "payment_method" else None
        self._forget(fields["id"], shown, event["created"])
        for embedded in fields.get("sources", {}).get("data", ()):
            self._forget(embedded["id"], None, event["created"])

    def _forget(self, subject: str, shown: set[str] | None, second: int) -> None:
        silent = self.truth.silent.get(subject, {})
        for name, since in list(silent.items()):
            if since < second and (shown is None or name in shown):
                del silent[name]


def changes(before: Json, after: Json) -> Json:
    """Return what Stripe calls `previous_attributes`: changed keys with their old values."""
    previous: Json = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            if inner := changes(old, new):
                previous[key] = inner
        elif old != new:
            previous[key] = old
    return previous
