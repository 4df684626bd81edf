"""A shop at random: everything that can be done with customers and their payment sources."""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from service.sandbox.errors import Json
from service.sandbox.forms import Given
from tests.sandbox_oracle import forms
from tests.sandbox_oracle.bench import Bench
from tests.sandbox_oracle.excuses import MONEY_RECEIVED, NEVER_TOLD, SILENT_UPDATE
from tests.sandbox_oracle.onfile import Onfile

if TYPE_CHECKING:
    from collections import Counter

LATER = st.sampled_from((0, 0, 0, 1, 1, 2))
"""How many seconds pass before an operation: in half of them none."""

WEATHER = st.integers(1, 2**16)

SIZES = st.sampled_from(((1, 1), (1, 3), (3, 30)))
"""How many customers and sources a shop may have: with few of them much happens to each."""

RENEWED_FROM = 2030
"""A network never takes a renewal back, so that no two of its changes look the same."""

Choice = st.DataObject


class Shop(RuleBasedStateMachine):
    """Random operations on one Stripe, whose events reach Onfile in bad weather."""

    def __init__(self, onfile: Onfile, tally: "Counter[str]") -> None:
        super().__init__()
        self.bench = Bench(onfile, tally)
        self.most_customers = self.most_sources = 1
        self.renewed_to = RENEWED_FROM
        self.keys = 0
        self.touched: list[str] = []
        """The ids that were drawn, the last one last."""

    def teardown(self) -> None:
        """Settle at the end of every history, unless it has failed before."""
        if sys.exception() is None:
            self.bench.settle(1)
            self.bench.tally["histories"] += 1

    # --- how it is heard of ----------------------------------------------------------------------

    @rule(weather=WEATHER, share=st.sampled_from((0.3, 0.6)))
    def deliver(self, weather: int, share: float) -> None:
        """Deliver some events, and apply some of what is pending."""
        self.bench.deliver(weather, share=share)

    @rule(weather=WEATHER)
    def settle(self, weather: int) -> None:
        """Deliver and apply all of it, and compare."""
        self.bench.settle(weather)

    # --- customers -------------------------------------------------------------------------------

    @initialize(data=st.data(), size=SIZES, making=st.sampled_from(forms.SOURCES))
    def open(self, data: Choice, size: tuple[int, int], making: dict[str, Given]) -> None:
        """Begin with a customer and a Source, so that there is something to be done with both."""
        self.most_customers, self.most_sources = size
        self.make_source(data, making, "")
        self.create_customer(data)

    @precondition(lambda self: len(self.living()) < self.most_customers)
    @rule(data=st.data())
    def create_customer(self, data: Choice) -> None:
        """Without a source, with a card, with a bank account, or with a Source."""
        loose = [source["id"] for source in self.loose()]
        source = data.draw(st.sampled_from((None, *forms.TOKENS, forms.bank_account(1), *loose)))
        details = data.draw(forms.EDITS["customer"])
        if source is not None:
            details = details | {"source": source}
        self._do(data, "POST", "/v1/customers", details)

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def edit_customer(self, data: Choice) -> None:
        self._do(data, "POST", self._customer(data), data.draw(forms.EDITS["customer"]))

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def delete_customer(self, data: Choice) -> None:
        """Seldom: afterwards there is nothing more to be done with it."""
        if data.draw(st.integers(0, 5)) == 5:
            self._do(data, "DELETE", self._customer(data))

    @precondition(lambda self: len(self.held()) > 1)
    @rule(data=st.data())
    def choose_default(self, data: Choice) -> None:
        source = self._one(data, self.held())
        path = f"/v1/customers/{source['customer']}"
        self._do(data, "POST", path, {"default_source": source["id"]})

    @precondition(lambda self: self.living())
    @rule(data=st.data(), token=st.sampled_from(forms.TOKENS))
    def replace_default(self, data: Choice, token: str) -> None:
        """Add a card in place of the default, which goes."""
        self._do(data, "POST", self._customer(data), {"source": token})

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def change_and_take_back(self, data: Choice) -> None:
        """In one second: only where it began tells where it ended."""
        one = self._one(data, [*self.living(), *self.held()])
        path = f"/v1/customers/{one['id']}" if one["object"] == "customer" else self._path(one)
        old = one["metadata"].get("k", "")
        self._do(data, "POST", path, {"metadata": {"k": "c"}})
        self.bench.call("POST", path, {"metadata": {"k": old}})

    # --- their sources ---------------------------------------------------------------------------

    @precondition(lambda self: self.living() and self.has_room())
    @rule(data=st.data(), token=st.sampled_from(forms.TOKENS), metadata=forms.METADATA)
    def add_card(self, data: Choice, token: str, metadata: Given) -> None:
        self._add(data, {"source": token, "metadata": metadata})

    @precondition(lambda self: self.living() and self.has_room())
    @rule(data=st.data(), number=st.integers(1, 6))
    def add_bank_account(self, data: Choice, number: int) -> None:
        self._add(data, {"source": forms.bank_account(number)})

    @precondition(lambda self: self.living() and self.has_room())
    @rule(data=st.data())
    def add_receiver(self, data: Choice) -> None:
        self._add(data, {"source": forms.RECEIVER})

    @precondition(lambda self: self.living() and self.has_room())
    @rule(data=st.data())
    def add_card_twice(self, data: Choice) -> None:
        """Ask for the same thing twice with one idempotency key: done and told once."""
        self.keys += 1
        path = f"{self._customer(data)}/sources"
        for _ in range(2):
            self._do(data, "POST", path, {"source": "tok_jcb"}, key=f"key_{self.keys}")

    @precondition(lambda self: self.living() and self.loose())
    @rule(data=st.data(), metadata=st.one_of(st.none(), forms.METADATA))
    def attach_source(self, data: Choice, metadata: Given) -> None:
        """Also one that has failed: refused."""
        source = self._one(data, self.loose())
        named = {} if metadata is None else {"metadata": metadata}
        self._add(data, {"source": source["id"], **named})

    @precondition(lambda self: self.held())
    @rule(data=st.data())
    def edit_held_source(self, data: Choice) -> None:
        """Edit through the customer: told whole."""
        source = self._one(data, self.held())
        self._do(data, "POST", self._path(source), self._edit(data, source, source["object"]))

    @precondition(lambda self: self.held("bank_account"))
    @rule(data=st.data())
    def verify_bank_account(self, data: Choice) -> None:
        path = self._path(self._one(data, self.held("bank_account")))
        self._do(data, "POST", f"{path}/verify", {"amounts": ["32", "45"]})

    @precondition(lambda self: self.held("card", "source"))
    @rule(data=st.data())
    def edit_payment_method(self, data: Choice) -> None:
        """Edit through the second view: told by that view alone."""
        source = self._one(data, self.held("card", "source"))
        change = self._edit(data, source, "payment_method")
        self._do(data, "POST", f"/v1/payment_methods/{source['id']}", change)

    @precondition(lambda self: self.held())
    @rule(data=st.data())
    def remove_source(self, data: Choice) -> None:
        """Delete a card or a bank account, detach a Source."""
        self._do(data, "DELETE", self._path(self._one(data, self.held())))

    @precondition(lambda self: self.held())
    @rule(data=st.data())
    def remove_default(self, data: Choice) -> None:
        customers = self.bench.books.customers
        defaults = [s for s in self.held() if customers[s["customer"]]["default_source"] == s["id"]]
        self._do(data, "DELETE", self._path(self._one(data, defaults)))

    # --- Sources, whoever's ----------------------------------------------------------------------

    @precondition(lambda self: self.has_room())
    @rule(data=st.data(), making=st.sampled_from(forms.SOURCES), metadata=forms.METADATA)
    def make_source(self, data: Choice, making: dict[str, Given], metadata: Given) -> None:
        cards = [source for source in self.made() if source["type"] == "card"]
        if data.draw(st.booleans()) and cards:
            making = forms.three_d_secure(self._one(data, cards)["id"])
        parameters = {**making, "metadata": metadata}
        self._do(data, "POST", "/v1/sources", parameters, silent=NEVER_TOLD)

    @precondition(lambda self: self.made())
    @rule(data=st.data())
    def edit_source_silently(self, data: Choice) -> None:
        source = self._one(data, self.made())
        change = self._edit(data, source, "source")
        self._do(data, "POST", f"/v1/sources/{source['id']}", change, silent=SILENT_UPDATE)

    # --- what nobody requests --------------------------------------------------------------------

    @precondition(lambda self: self.made())
    @rule(data=st.data(), happening=st.sampled_from(forms.HAPPENINGS))
    def let_happen(self, data: Choice, happening: str) -> None:
        """Let money arrive, a bank refuse, a mandate be used."""
        path = f"{self._hook(self._one(data, self.made()))}/{happening}"
        if happening == "receive":
            self._do(data, "POST", path, {"amount": 5}, silent=MONEY_RECEIVED)
        else:
            self._do(data, "POST", path)

    @precondition(lambda self: self.plastic())
    @rule(data=st.data(), event=st.sampled_from(forms.RENEWALS), renumbered=st.booleans())
    def renew_card(self, data: Choice, event: str, *, renumbered: bool) -> None:
        """Let the network renew a card, also one of a deleted customer."""
        self.renewed_to += 1
        renewed: dict[str, Given] = {"exp_year": self.renewed_to, "event": event}
        if renumbered:
            renewed["last4"] = self.renewed_to
        path = self._hook(self._one(data, self.plastic()))
        self._do(data, "POST", f"{path}/network_update", renewed)

    @precondition(lambda self: self.plastic())
    @rule(data=st.data())
    def expire_card(self, data: Choice) -> None:
        """Let a card be announced to expire: a snapshot that changes nothing."""
        self._do(data, "POST", f"{self._hook(self._one(data, self.plastic()))}/expire")

    # --- what there is ---------------------------------------------------------------------------

    def living(self) -> list[Json]:
        """Return the customers that are not deleted."""
        return [c for c in self.bench.books.customers.values() if not c.get("deleted")]

    def held(self, *kinds: str) -> list[Json]:
        """Return the sources of living customers, of these kinds if any are named."""
        books = self.bench.books
        found = [books.sources[s] for c in self.living() for s in books.wallets[c["id"]]]
        return [source for source in found if not kinds or source["object"] in kinds]

    def made(self) -> list[Json]:
        """Return every Source there is, whoever's, in whatever state."""
        return [s for s in self.bench.books.sources.values() if s.get("object") == "source"]

    def loose(self) -> list[Json]:
        """Return the Sources that are nobody's yet."""
        return [s for s in self.made() if "customer" not in s and s["status"] != "consumed"]

    def plastic(self) -> list[Json]:
        """Return the cards, and the Sources with one, of all customers there have been."""
        sources = self.bench.books.sources.values()
        return [s for s in sources if s.get("customer") and _is_card(s)]

    def has_room(self) -> bool:
        return len(self.held()) + len(self.loose()) < self.most_sources

    # --- how it is done --------------------------------------------------------------------------

    def _do(  # noqa: PLR0913 - a request has so many sides
        self,
        data: Choice,
        method: str,
        path: str,
        parameters: Mapping[str, Given] | None = None,
        *,
        silent: str = "",
        key: str = "",
    ) -> None:
        self.bench.clock.advance(data.draw(LATER))
        self.bench.call(method, path, parameters, silent=silent, key=key)

    def _add(self, data: Choice, parameters: Mapping[str, Given]) -> None:
        self._do(data, "POST", f"{self._customer(data)}/sources", parameters)

    def _edit(self, data: Choice, source: Json, kind: str) -> dict[str, Given]:
        """Draw a change of a source as an object of this kind; of its card too, if it has one."""
        change = data.draw(forms.EDITS[kind])
        flat = kind == source["object"] == "card"
        if _is_card(source) and not flat and data.draw(st.booleans()):
            change = change | {"card": data.draw(forms.CARD)}
        return change

    def _one(self, data: Choice, choices: Sequence[Json]) -> Json:
        """Draw one of these, half of the time the one that was drawn last: histories are deep."""
        lately = {name: place for place, name in enumerate(self.touched)}
        newest_first = sorted(choices, key=lambda one: lately.get(one["id"], -1), reverse=True)
        one = newest_first[data.draw(st.one_of(st.just(0), st.integers(0, len(choices) - 1)))]
        self.touched.append(one["id"])
        return one

    def _customer(self, data: Choice) -> str:
        return f"/v1/customers/{self._one(data, self.living())['id']}"

    def _path(self, source: Json) -> str:
        return f"/v1/customers/{source['customer']}/sources/{source['id']}"

    def _hook(self, source: Json) -> str:
        return f"/v1/test_helpers/sources/{source['id']}"


def _is_card(source: Json) -> bool:
    return "card" in {source.get("object"), source.get("type")}
