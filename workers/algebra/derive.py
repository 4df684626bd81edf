"""Derive the answers from merged facts: pure, so that every visible byte is a function of them."""

from collections.abc import Iterable
from typing import Any

import msgspec

from service.documents import CustomerAnswer, ListedSource, SourceAnswer
from service.keys import Namespace
from workers.algebra.default import CONFIRMED, default_source
from workers.algebra.facts import NEVER, CustomerFacts, SourceFacts
from workers.algebra.objects import DEFAULT_FIELDS, fields_of, identity, text_of
from workers.algebra.order import Attachments
from workers.algebra.seconds import Newest, newest
from workers.algebra.snapshots import Snapshot
from workers.algebra.views import (
    Shared,
    has_second_view,
    in_shared_values,
    overlaid,
    showing_more,
    values_of,
)


def derive_source(facts: SourceFacts) -> SourceAnswer:
    """Return what a query about a source answers; of a forgotten one nothing."""
    if facts.forgotten != NEVER:
        return _FORGOTTEN_SOURCE
    kind = _kind(facts)
    snapshot = newest(facts.snapshots, silent=kind == "source")
    stamps = [(snapshot.second, snapshot.event)]
    body = snapshot.record.object if snapshot.record else b""
    decided = snapshot.decided
    if facts.views and body and has_second_view(kind):
        values: Shared = {}
        group = in_shared_values(facts.snapshots, facts.views, kind)
        while group:
            shared = newest(group, silent=kind == "source")
            if shared.record:
                values = values_of(shared.record) | values
                stamps.append((shared.second, shared.event))
            decided = decided and shared.decided
            group = showing_more(group, values)
        body = overlaid(body, values, kind)
    elif facts.views:
        view = newest(facts.views)
        stamps.append((view.second, view.event))
    gone = facts.times.gone != NEVER
    owner = _owner(facts.owners, body)
    return SourceAnswer(
        body=_as_owned(body, kind, owner="" if gone else owner, gone=gone) if body else b"",
        kind=kind,
        owner=owner,
        gone=gone,
        second=_last([*facts.snapshots, *facts.views, *msgspec.structs.astuple(facts.times)]),
        event=_newest_event(stamps),
        decided=decided,
    )


def derive_customer(namespace: Namespace, customer: str, facts: CustomerFacts) -> CustomerAnswer:
    """Return what every query about a customer answers; a forgotten one is as a deleted one."""
    if facts.forgotten != NEVER:
        return _deleted(customer, facts.forgotten, "")
    facts = own(customer, facts)
    snapshot = newest(facts.snapshots)
    attachments = Attachments(facts)
    moments = [*facts.snapshots]
    stamps = [(snapshot.second, snapshot.event)]
    for link in facts.links.values():
        moments += (link.answer.second, *msgspec.structs.astuple(link.times))
        stamps.append((link.answer.second, link.answer.event))
    second = _last(moments)
    event = _newest_event(stamps)
    if facts.deleted:
        return _deleted(customer, second, event)
    order = attachments.newest_first(attachments.alive())
    default = default_source(facts, snapshot, attachments)
    shown = [facts.links[source].answer for source in order.sources]
    doubts = {
        "default": default.basis == "ambiguous",
        "order": not order.decided,
        "object": not snapshot.decided or not all(answer.decided for answer in shown),
    }
    return CustomerAnswer(
        body=_body(namespace, customer, snapshot, default.source),
        deleted=False,
        default=default.source,
        basis=default.basis,
        sources=[
            ListedSource(id=source, kind=answer.kind, body=answer.body)
            for source, answer in zip(order.sources, shown, strict=True)
            if answer.body
        ],
        second=second,
        event=event,
        ambiguous=[name for name, doubted in doubts.items() if doubted],
    )


def _deleted(customer: str, second: int, event: str) -> CustomerAnswer:
    return CustomerAnswer(
        body=_encode({"id": customer, "object": "customer", "deleted": True}),
        deleted=True,
        default="",
        basis=CONFIRMED,
        sources=[],
        second=second,
        event=event,
        ambiguous=[],
    )


def own(customer: str, facts: CustomerFacts) -> CustomerFacts:
    """Leave out sources that another customer claims as well and more rightly."""
    mine = ("", customer)
    links = {s: link for s, link in facts.links.items() if link.answer.owner in mine}
    if len(links) == len(facts.links):
        return facts
    return msgspec.structs.replace(facts, links=links)


def _owner(owners: set[str], body: bytes) -> str:
    """Return whose it is: of several, which Stripe never makes, the one its newest body names."""
    named = identity((fields_of(body) or {}).get("customer")) if len(owners) > 1 else ""
    return named if named in owners else min(owners, default="")


def _kind(facts: SourceFacts) -> str:
    kinds = {
        _kind_of(record.object)
        for records in facts.snapshots.values()
        for record in records.values()
    }
    return min(kinds, default="")


class _Kinded(msgspec.Struct):
    object: Any = None


def _kind_of(body: bytes) -> str:
    kind = _KINDED.decode(body).object
    return kind if isinstance(kind, str) else ""


def _as_owned(body: bytes, kind: str, *, owner: str, gone: bool) -> bytes:
    """Write in what is known of a Source though its newest snapshot does not show it."""
    if kind != "source":
        return body
    fields = fields_of(body) or {}
    if gone and text_of(fields.get("status")) != "consumed":
        fields.pop("customer", None)
        return _encode(fields | {"status": "consumed"})
    if owner and not identity(fields.get("customer")):
        return _encode(fields | {"customer": owner})
    return body


def _body(namespace: Namespace, customer: str, snapshot: Newest, default: str) -> bytes:
    """Return the customer to serve: of several candidates, one that shows this default."""
    candidates = snapshot.candidates
    if not candidates:
        known = {"id": customer, "object": "customer", "livemode": namespace.mode == "live"}
        return _encode(known | {DEFAULT_FIELDS[0]: default or None})
    showing = (candidate for candidate in candidates if candidate.default == default)
    return _with_default(next(showing, candidates[0]), default)


def _with_default(snapshot: Snapshot, default: str) -> bytes:
    """Return a customer with its default written in; mostly it shows it already."""
    written = _encode(default or None)
    shown = [name for name in DEFAULT_FIELDS if name in snapshot.defaults]
    if shown and all(bytes(snapshot.defaults[name]) == written for name in shown):
        return snapshot.record.object
    fields = fields_of(snapshot.record.object) or {}
    return _encode(fields | dict.fromkeys(shown or DEFAULT_FIELDS[:1], msgspec.Raw(written)))


def _last(seconds: Iterable[int]) -> int:
    return max([second for second in seconds if second < NEVER], default=0)


def _newest_event(stamps: Iterable[tuple[int, str]]) -> str:
    """Return the event of the greatest second; of several, the least id."""
    told = [(-second, event) for second, event in stamps if event]
    return min(told)[1] if told else ""


_encode = msgspec.json.encode
_FORGOTTEN_SOURCE = SourceAnswer(
    body=b"", kind="", owner="", gone=True, second=0, event="", decided=True
)
_KINDED = msgspec.json.Decoder(_Kinded)
