"""The limit of time: it ends what hangs, whatever that catches, and keeps the limit around it."""

import contextlib
import signal
import threading
import time

import pytest

from workers.time_limit import TookTooLongError, at_most


def hang() -> None:
    while True:
        with contextlib.suppress(Exception):
            time.sleep(1)


def test_what_hangs_is_ended_though_it_takes_every_exception_for_its_own() -> None:
    with pytest.raises(TookTooLongError), at_most(0.01):
        hang()


def test_what_is_done_in_time_leaves_no_timer_behind() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with at_most(3600):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) == before


def test_a_limit_around_it_goes_on_after_it() -> None:
    def ended_once() -> None:
        with contextlib.suppress(TookTooLongError), at_most(0.01):
            hang()
        hang()

    with pytest.raises(TookTooLongError, match=r"after 0\.05 seconds"), at_most(0.05):
        ended_once()


def test_a_limit_around_it_that_passed_meanwhile_ends_the_rest_at_once() -> None:
    def outlasting_it() -> None:
        with at_most(3600):
            time.sleep(0.02)
        hang()

    with pytest.raises(TookTooLongError, match=r"after 0\.01 seconds"), at_most(0.01):
        outlasting_it()


def test_in_another_thread_nothing_is_limited() -> None:
    done = []

    def work() -> None:
        with at_most(0):
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
