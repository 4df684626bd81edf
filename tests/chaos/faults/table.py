"""Every fault there is, by its name on the command line."""

import re

from tests.chaos.faults import (
    clocks,
    deaths,
    failover,
    handlers,
    network,
    room,
    shards,
    stages,
    stalls,
    versions,
)
from tests.chaos.faults.fault import Fault


def name_of(kind: type[Fault]) -> str:
    """Return the name of a fault: its class's, in small letters with hyphens."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()


FAULTS: dict[str, type[Fault]] = {
    name_of(kind): kind
    for kind in (
        deaths.KilledWeb,
        deaths.KilledWorker,
        deaths.KilledStore,
        deaths.KilledTogether,
        stages.KilledInStage,
        handlers.FailingHandler,
        handlers.NonsenseHandler,
        handlers.HangingHandler,
        handlers.GreedyHandler,
        handlers.LeakingHandler,
        handlers.KilledByHandler,
        stalls.FrozenStore,
        stalls.FrozenWorker,
        network.CutConnections,
        network.TruncatedCommand,
        network.LostReply,
        network.SilentNetwork,
        room.FullStore,
        room.FullDisk,
        clocks.JumpingClock,
        versions.TwoVersions,
        deaths.Terminated,
        shards.Resharding,
        failover.Failover,
        failover.SentinelFailover,
    )
}
