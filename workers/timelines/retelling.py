"""Retell a customer's life: its events folded second by second, and what each second changed.

Stripe's order counts, not that of arrival, and what is known today counts for every second: so a
timeline is a function of the events, like every answer, and its end is the present one. Where older
events have left the log, the document's own facts say when sources came and went.
"""

from collections import defaultdict
from collections.abc import Iterable

from service.documents import CustomerAnswer
from service.keys import Namespace
from service.timeline import Change, Timeline
from workers.algebra.default import default_source
from workers.algebra.derive import derive_customer, own
from workers.algebra.facts import NEVER, CustomerFacts
from workers.algebra.merge import merge_customers
from workers.algebra.order import Attachments
from workers.algebra.seconds import newest
from workers.timelines.changes import DELETED, FORGOTTEN, Heard, State, changes, ended
from workers.timelines.fold import Fold
from workers.timelines.past import seconds_of, until
from workers.timelines.reasons import Reason, lasting, reason_of


def retell(
    namespace: Namespace,
    customer: str,
    stored: tuple[CustomerFacts, CustomerAnswer],
    heard: Iterable[Heard],
) -> Timeline:
    """Return the timeline of a customer.

    Args:
        namespace: the customer's.
        customer: its id.
        stored: its document: facts and answer.
        heard: the entries of the log that told of it, in any order.

    """
    document, answer = stored
    by_second: defaultdict[int, list[Heard]] = defaultdict(list)
    for one in heard:
        by_second[one.second].append(one)
    fold, before, end = Fold(), None, None
    told: list[Change] = []
    if document.forgotten != NEVER:
        end = FORGOTTEN
        told.append(ended(end, document.forgotten, customer, None, ()))
    for second in sorted({*by_second, *seconds_of(document)}):
        fold.apply(one.facts for one in by_second[second])
        if end:
            continue  # what is told of it later changes nothing
        facts = _known(second, customer, document, fold)
        if facts.deleted:
            end = DELETED
            told.append(ended(end, second, customer, before, by_second[second]))
        else:
            now = _state(second, facts, fold)
            told += changes(second, customer, before, now, by_second[second])
            before = now
    heard_of = merge_customers(
        fold.customers.get(customer, CustomerFacts()), CustomerFacts(forgotten=document.forgotten)
    )
    last = before.reason if before else Reason("unheard", "nothing is known of it", [])
    reason = end or lasting(last)
    return Timeline(
        customer=customer,
        account=namespace.account,
        mode=namespace.mode,
        deleted=answer.deleted,
        default_source=answer.default or None,
        basis=answer.basis,
        rule=reason.rule,
        why=reason.why,
        between=reason.between,
        whole=derive_customer(namespace, customer, heard_of) == answer,
        agrees=derive_customer(namespace, customer, document) == answer,
        changes=told,
    )


def _known(second: int, customer: str, document: CustomerFacts, fold: Fold) -> CustomerFacts:
    told = fold.customers.get(customer, CustomerFacts())
    return own(customer, merge_customers(until(second, document), told))


def _state(second: int, facts: CustomerFacts, fold: Fold) -> State:
    seen, attachments = newest(facts.snapshots), Attachments(facts)
    default = default_source(facts, seen, attachments)
    alive = attachments.newest_first(attachments.alive()).sources
    bodies = {s: fold.sources[s].answer.body for s in alive if s in fold.sources}
    return State(
        default=default,
        reason=reason_of(default, seen, told=facts.told),
        alive=alive,
        passing=sorted(
            source
            for source, times in attachments.times.items()
            if times.added == attachments.gone[source] == second
        ),
        bodies={source: body for source, body in bodies.items() if body},
    )
