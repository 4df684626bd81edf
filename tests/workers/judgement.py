"""Compare answers, and how sure they claim to be, with the truth a model of Stripe knows."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from service.documents import CustomerAnswer, SourceAnswer
from tests.workers.fold import Fold
from tests.workers.stripe_model import Json, Truth


class Verdict(NamedTuple):
    """One thing compared."""

    thing: str
    """set, default, order, source or customer."""
    claim: str
    """confirmed, inferred or ambiguous for a default; else decided or ambiguous."""
    right: bool
    answer: object
    truth: object
    subject: str

    @property
    def wrong_unsaid(self) -> bool:
        """Tell whether it is wrong and does not say that it may be."""
        return not self.right and self.claim != "ambiguous"


def judged(fold: Fold, truth: Truth) -> Iterator[Verdict]:
    """Compare everything that has been told of with the truth."""
    for customer in fold.customers:
        yield from _judged_customer(customer, fold.customer(customer), truth)
    for source, fields in truth.sources.items():
        if source in fold.sources:
            yield from _judged_source(source, fold.source(source), fields, truth)


def _judged_customer(customer: str, answer: CustomerAnswer, truth: Truth) -> Iterator[Verdict]:
    deleted = customer in truth.deleted
    yield _verdict("deleted", customer, answer.deleted, deleted)
    if deleted or answer.deleted:
        return
    attached = truth.attached[customer]
    fields = truth.customers[customer]
    listed = [source.id for source in answer.sources]
    default = fields["default_source"] or ""
    body = json.loads(answer.body)
    unsaid = set(answer.ambiguous)
    yield _verdict("set", customer, set(listed), set(attached))
    yield _verdict("default", customer, answer.default, default, claim=answer.basis)
    if set(listed) == set(attached):
        claim = "ambiguous" if "order" in unsaid else "decided"
        yield _verdict("order", customer, listed, attached, claim=claim)
    # What is known and unknown of the default is judged above.
    skipped = {*truth.silent.get(customer, {}), "default_source", "legacy"}
    claim = "ambiguous" if "object" in unsaid else "decided"
    yield _verdict("customer", customer, _but(body, skipped), _but(fields, skipped), claim=claim)
    yield _verdict("written default", customer, body.get("default_source") or "", answer.default)


def _judged_source(
    source: str, answer: SourceAnswer, fields: Json, truth: Truth
) -> Iterator[Verdict]:
    yield _verdict("gone", source, answer.gone, source in truth.removed)
    if not answer.body or (source in truth.removed and fields["object"] != "source"):
        return
    skipped = {*truth.silent.get(source, {}), "legacy"}
    claim = "decided" if answer.decided else "ambiguous"
    body = json.loads(answer.body)
    yield _verdict("source", source, _but(body, skipped), _but(fields, skipped), claim=claim)


def _but(fields: Json, skipped: set[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in skipped}


def _verdict(
    thing: str, subject: str, answer: object, truth: object, *, claim: str = "decided"
) -> Verdict:
    return Verdict(thing, claim, answer == truth, answer, truth, subject)
