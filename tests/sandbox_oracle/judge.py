"""Every answer of Onfile against Stripe's own, but for what an excuse covers.

Where Onfile knows an object otherwise and an excuse covers it, Stripe's books are changed to what
Onfile knows. Then every question there is must get that Stripe's answer.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import fields
from http import HTTPStatus

from service.sandbox.books import Books
from service.sandbox.errors import Json
from service.sandbox.oracle import LIST_LIMIT, Seen, compare, questions
from service.sandbox.stripe import Account, Stripe
from tests.sandbox_oracle.excuses import (
    OF_CUSTOMERS,
    OF_LISTS,
    OF_SOURCES,
    Case,
    Excuse,
    excuse_for,
)
from tests.sandbox_oracle.history import History


class Judge:
    """One comparison of everything.

    After it, `excused` says how often which excuse was needed, `compared` how many answers there
    were.
    """

    def __init__(self, history: History, books: Books) -> None:
        self.excused: Counter[str] = Counter()
        self.compared = 0
        self._history = history
        self._true = books
        self._allowed = Books(**{f.name: dict(getattr(books, f.name)) for f in fields(books)})
        self._answers: Mapping[str, Seen] = {}

    def questions(self) -> list[str]:
        """Return all that Onfile is to be asked."""
        customers = self._history.customers
        own = [f"/v1/customers/{customer}/default_source" for customer in customers]
        return [*questions(customers, self._history.sources), *own]

    def judge(self, answers: Mapping[str, Seen]) -> None:
        """Compare all answers; raise AssertionError on a difference that no excuse covers."""
        self._answers = answers
        self._allow()
        stripe = Stripe()
        stripe._accounts[""] = Account("", self._allowed)
        for question in questions(self._history.customers, self._history.sources):
            compared = compare(stripe, answers.__getitem__, question)
            assert compared.same, self._difference(question, compared.expected, compared.found)
        for customer in self._history.customers:
            self._judge_default(stripe, customer)
        self.compared += len(answers)

    def _allow(self) -> None:
        """Change the books to what Onfile knows, wherever an excuse covers it."""
        books, living = self._allowed, self._living()
        for source, customer in self._history.sources.items():
            listed = customer in living and source in self._true.wallets[customer]
            if source.startswith("src_"):
                self._excuse(source, f"/v1/sources/{source}", books.sources, OF_SOURCES)
            elif listed:
                path = f"/v1/customers/{customer}/sources/{source}"
                self._excuse(source, path, books.sources, OF_SOURCES)
        for customer in living:
            path = f"/v1/customers/{customer}"
            self._excuse(customer, path, books.customers, OF_CUSTOMERS)
            self._excuse_order(customer)

    def _excuse(
        self,
        name: str,
        question: str,
        objects: MutableMapping[str, Json],
        excuses: Iterable[Excuse],
    ) -> None:
        case = self._case(name, question, objects[name])
        if case.found == case.truth or (excuse := excuse_for(case, excuses)) is None:
            return
        self.excused[excuse.name] += 1
        if case.found is None:
            del objects[name]
        else:
            objects[name] = case.found

    def _excuse_order(self, customer: str) -> None:
        wallet = self._true.wallets[customer]
        truth = {"data": [{"id": source} for source in reversed(wallet)]}
        question = f"/v1/customers/{customer}/sources?limit={LIST_LIMIT}"
        case = self._case(customer, question, truth)
        found = [source["id"] for source in (case.found or {"data": []})["data"]][::-1]
        if (*found,) != wallet and (excuse := excuse_for(case, OF_LISTS)):
            self.excused[excuse.name] += 1
            self._allowed.wallets[customer] = (*found,)

    def _case(self, name: str, question: str, truth: Json) -> Case:
        seen = self._answers[question]
        said = seen.headers.get("onfile-ambiguous", "")
        found = json.loads(seen.body) if seen.status == HTTPStatus.OK else None
        return Case(self._history, name, truth, found, frozenset(said.split(", ")))

    def _judge_default(self, stripe: Stripe, customer: str) -> None:
        """Compare Onfile's own query with what Stripe answers as a part of another."""
        whole = stripe.call("GET", f"/v1/customers/{customer}", {"expand": ["default_source"]}).body
        seen = self._answers[f"/v1/customers/{customer}/default_source"]
        body = json.loads(seen.body)
        if whole.get("deleted"):
            assert (seen.status, body["error"]["code"]) == (404, "resource_missing")
        else:
            nothing = {"object": "default_source", "customer": customer, "default_source": None}
            assert body == (whole["default_source"] or nothing)

    def _living(self) -> list[str]:
        customers = self._true.customers
        return [c for c in self._history.customers if not customers[c].get("deleted")]

    def _difference(self, question: str, stripe: Json, onfile: Json) -> str:
        headers = self._answers[question].headers
        said = [f"  {name}: {headers[name]}" for name in headers if name.startswith("onfile-")]
        return "\n".join([f"GET {question}", *said, *_lines(stripe, onfile)])


def _lines(stripe: object, onfile: object, place: str = "") -> list[str]:
    """Return a line for each place at which two answers differ."""
    if isinstance(stripe, dict) and isinstance(onfile, dict):
        keys = sorted(stripe.keys() | onfile.keys())
        pairs = [(key, stripe.get(key, "absent"), onfile.get(key, "absent")) for key in keys]
    elif isinstance(stripe, list) and isinstance(onfile, list) and len(stripe) == len(onfile):
        pairs = [(str(n), *pair) for n, pair in enumerate(zip(stripe, onfile, strict=True))]
    elif stripe == onfile:
        return []
    else:
        return [f"  {place} Stripe: {json.dumps(stripe)} Onfile: {json.dumps(onfile)}"]
    return [line for key, one, other in pairs for line in _lines(one, other, f"{place}.{key}")]
