"""Derive the answers from merged facts: pure, so that every visible byte is a function of them."""

from collections.abc import Iterable
from typing import Any

import msgspec

from service.documents import CustomerAnswer, ListedSource, SourceAnswer
from service.keys import Namespace
from workers.algebra.default import CONFIRMED, Default, default_source
from workers.algebra.facts import NEVER, CustomerFacts, Record, SourceFacts
from workers.algebra.objects import DEFAULT_FIELDS, defaults_in, fields_of, identity, text_of
from workers.algebra.order import Attachments
from workers.algebra.seconds import Newest, newest
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
    stamps: list[tuple[int, Record | str | None]] = [(snapshot.second, snapshot.record)]
    body = snapshot.record.object if snapshot.record else b""
    decided = snapshot.decided
    if facts.views and body and has_second_view(kind):
        values: Shared = {}
        group = in_shared_values(facts.snapshots, facts.views, kind)
        while group:
            shared = newest(group, silent=kind == "source")
            if shared.record:
                values = values_of(shared.record) | values
                stamps.append((shared.second, shared.record))
            decided = decided and shared.decided
            group = showing_more(group, values)
        body = overlaid(body, values, kind)
    elif facts.views:
        view = newest(facts.views)
        stamps.append((view.second, view.record))
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
    links = facts.links.values()
    moments = [*facts.snapshots, *(link.answer.second for link in links)]
    for link in links:
        moments += msgspec.structs.astuple(link.times)
    second = _last(moments)
    event = _newest_event(
        [
            (snapshot.second, snapshot.record),
            *((link.answer.second, link.answer.event) for link in links),
        ]
    )
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
        body=_with_default(_body(namespace, customer, snapshot, default), default.source),
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


def _body(namespace: Namespace, customer: str, snapshot: Newest, default: Default) -> bytes:
    """Return the customer to serve: of several candidates, one that shows this default."""
    for candidate in snapshot.candidates:
        if candidate.default == default.source:
            return candidate.record.object
    if snapshot.record:
        return snapshot.record.object
    return _encode({"id": customer, "object": "customer", "livemode": namespace.mode == "live"})


def _with_default(body: bytes, default: str) -> bytes:
    """Return a customer's body with its default written in; mostly it shows it already."""
    shown = defaults_in(body)
    names = [name for name in DEFAULT_FIELDS if name in shown]
    written = _encode(default or None)
    if names and all(bytes(shown[name]) == written for name in names):
        return body
    fields = fields_of(body) or {}
    return _encode(fields | dict.fromkeys(names or DEFAULT_FIELDS[:1], msgspec.Raw(written)))


def _last(seconds: Iterable[int]) -> int:
    return max([second for second in seconds if second < NEVER], default=0)


def _newest_event(stamps: list[tuple[int, Record | str | None]]) -> str:
    """Return the event of the greatest second; of several, the least id."""
    told = [(-s, of.event if isinstance(of, Record) else of) for s, of in stamps if of]
    return min(told)[1] if told else ""


_encode = msgspec.json.encode
_FORGOTTEN_SOURCE = SourceAnswer(
    body=b"", kind="", owner="", gone=True, second=0, event="", decided=True
)
_KINDED = msgspec.json.Decoder(_Kinded)
