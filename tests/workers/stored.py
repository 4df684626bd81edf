"""Read back what `workers.apply` has stored: answers byte for byte, and facts to compare."""

from typing import TYPE_CHECKING, Any

import msgspec

from service.documents import (
    CustomerAnswer,
    SourceAnswer,
    decode_customer,
    decode_source,
    opened,
)
from workers.algebra.facts import CustomerFacts, SourceFacts

if TYPE_CHECKING:
    import redis


def stored_values(client: "redis.Redis") -> dict[str, bytes]:
    """Return the bytes of every document by its key."""
    keys: Any = client.keys("onfile:[cs]:*")
    pipeline = client.pipeline(transaction=False)  # a node of a cluster takes no MGET of two slots
    for key in keys:
        pipeline.get(key)
    values = pipeline.execute()
    return {key.decode(): value for key, value in sorted(zip(keys, values, strict=True))}


def dumped(client: "redis.Redis") -> dict[bytes, Any]:
    """Return all that the store holds, byte for byte."""
    keys: Any = client.keys()
    return {key: client.dump(key) for key in keys}


def stored_documents(client: "redis.Redis") -> dict[str, tuple[Any, Any]]:
    """Return answer and facts of every document, by the id in its key."""
    documents: dict[str, tuple[Any, Any]] = {}
    for key, stored in stored_values(client).items():
        value = opened(key, stored)
        subject = key.rpartition(":")[2].rstrip("}")
        if key.startswith("onfile:c:"):
            _, customer, known = decode_customer(value)
            documents[subject] = customer, msgspec.msgpack.decode(known, type=CustomerFacts)
        else:
            _, source, known = decode_source(value)
            documents[subject] = source, msgspec.msgpack.decode(known, type=SourceFacts)
    return documents


def stored_answers(client: "redis.Redis") -> dict[str, bytes]:
    """Return the bytes of every stored answer by the id in its key."""
    answers: dict[str, SourceAnswer | CustomerAnswer] = {
        subject: answer for subject, (answer, _) in stored_documents(client).items()
    }
    return {subject: msgspec.msgpack.encode(answer) for subject, answer in answers.items()}


def unversioned(facts: SourceFacts | CustomerFacts) -> object:
    """Return facts without the versions of the documents that links were made of."""
    if isinstance(facts, SourceFacts):
        return facts
    links = {s: (link.times, link.answer) for s, link in facts.links.items()}
    return facts.snapshots, facts.deleted, facts.told, facts.lists, links
