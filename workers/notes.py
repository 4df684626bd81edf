"""What a round notes beside its documents, in one step with the settling of its entries."""

from collections.abc import Sequence

import redis

from service.log import mentions
from service.log.entry import Entry
from workers import doubts, erasing
from workers.rounds import Round


def write(client: redis.Redis, result: Round, erased: Sequence[Entry]) -> None:
    """Note what is in doubt, what was told of whom, and who is forgotten; and erase these entries.

    `client` may be a pipeline.
    """
    doubts.note(client, result.doubts)
    mentions.note(client, result.told)
    erasing.erase(client, erased, result.entombed)
