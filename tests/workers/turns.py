"""Let workers step through their loads and commits in every possible order, one step at a time.

Nothing is replaced: each worker is a thread that runs the real code against the real store, and
waits before every step until it is its turn.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from service.projection import Projection, Write

if TYPE_CHECKING:
    import redis

GIVE_UP_SECONDS = 30


class SteppedProjection(Projection):
    """A projection each of whose calls is a step of its worker's."""

    def __init__(self, client: "redis.Redis", step: Callable[[], None]) -> None:
        super().__init__(client)
        self._step = step

    def load(self, keys: Sequence[str]) -> list[bytes | None]:
        if keys:
            self._step()
        return super().load(keys)

    def commit(self, writes: Iterable[Write]) -> list[bool]:
        if made := list(writes):
            self._step()
        return super().commit(made)


class _Worker:
    def __init__(self, work: Callable[[Callable[[], None]], object]) -> None:
        self.paused = threading.Semaphore(0)
        self._go = threading.Semaphore(0)
        self.done = False
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()
        self._wait()

    def step(self) -> None:
        """Let it do one step, and wait until it stands before the next or is done."""
        self._go.release()
        self._wait()

    def _wait(self) -> None:
        assert self.paused.acquire(timeout=GIVE_UP_SECONDS), "a worker hangs"
        if self.error:
            raise self.error

    def _run(self, work: Callable[[Callable[[], None]], object]) -> None:
        try:
            work(self._pause)
        except BaseException as error:  # noqa: BLE001 - raised again where the test waits
            self.error = error
        self.done = True
        self.paused.release()

    def _pause(self) -> None:
        self.paused.release()
        self._go.acquire()


def every_order(
    begin: Callable[[], None], works: Sequence[Callable[[Callable[[], None]], object]]
) -> Iterator[list[int]]:
    """Run these works in every order of their steps; yield each order when it has been run.

    How many steps a work has depends on the order: one that meets a conflict has more. So each
    run follows a known beginning and then always the first worker that can go on; what else could
    have been chosen after that beginning is tried later.
    """
    beginnings: list[list[int]] = [[]]
    while beginnings:
        order = beginnings.pop()
        known = len(order)
        begin()
        workers = [_Worker(work) for work in works]
        for place in range(1_000):
            ready = [number for number, worker in enumerate(workers) if not worker.done]
            if not ready:
                break
            if place >= known:
                beginnings += [[*order, other] for other in ready[1:]]
                order.append(ready[0])
            workers[order[place]].step()
        yield order
