"""Bad releases: a handler that harms a few of the events, and then the mended one.

The events that are not harmed must not wait for the mending, and that is what is timed; those that
are must be right after it, when the pause before their next attempt is over.
"""

from typing import ClassVar

from tests.chaos.faults.fault import Fault
from tests.chaos.rig import Rig
from tests.chaos.sabotage import victim
from workers.operators import dead_letters


class _BadRelease(Fault):
    harm: ClassVar[str]

    def strike(self, rig: Rig) -> None:
        """Release it."""
        rig.replace_workers(plan=f"handler:{self.harm}")

    def well(self, rig: Rig) -> bool:
        """Tell whether only harmed events are left: the release is as bad as before."""
        return 0 <= rig.unapplied() <= sum(map(victim, rig.load.event_ids))

    def mend(self, rig: Rig) -> None:
        """Release the mended one, and have the dead letters tried again."""
        rig.replace_workers()
        with rig.store.client() as client:
            for letter in list(dead_letters.dead_letters(client)):
                dead_letters.retry(client, dead_letters.treated(letter))


class HangingHandler(_BadRelease):
    """A handler never returns from a few of the events."""

    harm = "hang"


class FailingHandler(_BadRelease):
    """A handler raises on a few of the events."""

    harm = "fail"


class NonsenseHandler(_BadRelease):
    """A handler returns no facts but nonsense for a few of the events."""

    harm = "nonsense"


class GreedyHandler(_BadRelease):
    """A handler takes all memory for a few of the events, and gives it back."""

    harm = "devour"


class LeakingHandler(_BadRelease):
    """A handler takes all memory at a few of the events, and keeps it: nothing works after it."""

    harm = "leak"


class KilledByHandler(_BadRelease):
    """The kernel kills the worker at a few of the events, for they take too much memory."""

    harm = "be-killed"
