"""The oracle: the same requests put to the sandbox and to Onfile, and the answers compared.

What events cannot tell, Onfile says of its own answer (`Onfile-Default-Basis`,
`Onfile-Ambiguous`); a difference in an answer that says nothing of the kind is a mismatch.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from service.drop import KEEP_ALL, Drop
from service.sandbox.errors import Json
from service.sandbox.forms import decode
from service.sandbox.stripe import Stripe

LIST_LIMIT = 100
LISTED_KINDS = ("card", "bank_account", "source")


class Seen(NamedTuple):
    """What Onfile answered."""

    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes


Ask = Callable[[str], Seen]
"""Puts a path with its query to Onfile."""


class Compared(NamedTuple):
    """One request and how the two sides answered it."""

    path: str
    same: bool
    ambiguous: bool
    """Onfile says that events cannot tell this answer."""
    expected: Json
    found: Json

    @property
    def mismatch(self) -> bool:
        """Whether Onfile is wrong and does not say so."""
        return not self.same and not self.ambiguous


def questions(customers: Iterable[str], sources: Mapping[str, str]) -> list[str]:
    """Return every request there is about these customers and these sources, by whose they are."""
    asked = []
    for customer in customers:
        path = f"/v1/customers/{customer}"
        asked += [path, *(f"{path}?expand[]={field}" for field in ("default_source", "sources"))]
        asked += [f"{path}/sources?limit={LIST_LIMIT}", f"{path}/sources?limit=2"]
        asked += [f"{path}/sources?object={kind}" for kind in LISTED_KINDS]
    for source, customer in sources.items():
        if customer:
            path = f"/v1/customers/{customer}/sources"
            pages = (f"{cursor}={source}" for cursor in ("starting_after", "ending_before"))
            asked += [f"{path}/{source}", *(f"{path}?limit=2&{page}" for page in pages)]
        if source.startswith("src_"):
            asked.append(f"/v1/sources/{source}")
    return asked


def compare(stripe: Stripe, ask: Ask, question: str, drop: Drop = KEEP_ALL) -> Compared:
    """Put one question to both and compare the answers as JSON values.

    What Onfile was told to `drop` is compared with nothing.
    """
    path, _, query = question.partition("?")
    answer = stripe.call("GET", path, decode(query))
    expected = json.loads(drop(json.dumps(answer.body).encode()))
    seen = ask(question)
    found = json.loads(seen.body)
    basis = seen.headers.get("onfile-default-basis", "")
    return Compared(
        path=question,
        same=_answer(answer.status, expected) == _answer(seen.status, found),
        ambiguous=basis == "ambiguous" or "onfile-ambiguous" in seen.headers,
        expected=expected,
        found=found,
    )


def _answer(status: int, body: Json) -> tuple[int, Json | str]:
    """Of a refusal only its kind counts: how it is worded is for people."""
    if "error" in body:
        return status, str(body["error"].get("code"))
    return status, body
