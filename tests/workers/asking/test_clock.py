"""A read must never seem newer than it is."""

from hypothesis import given
from hypothesis import strategies as st

from workers.asking.clock import TRUSTED_SECONDS, StripeClock


@given(
    ahead=st.floats(-1e6, 1e6),
    heard=st.lists(
        st.tuples(st.floats(0, 10), st.floats(0, 5), st.floats(0, 5)), min_size=1, max_size=20
    ),
    later=st.floats(0, 100),
)
def test_it_is_never_ahead_of_stripe(
    ahead: float, heard: list[tuple[float, float, float]], later: float
) -> None:
    clock, now = StripeClock(), 0.0
    for pause, there, back in heard:
        now += pause + there
        date = int(1_700_000_000 + ahead + now)
        now += back
        clock.heard(date, received=now)
    assert clock.at(now + later) <= 1_700_000_000 + ahead + now + later + 1e-3


def test_it_believes_the_quickest_answer_until_that_is_old() -> None:
    clock = StripeClock()
    clock.heard(1000, received=1)
    clock.heard(1000, received=1.8)
    assert clock.at(2) == 1001
    late = 2 + TRUSTED_SECONDS
    clock.heard(1000 + TRUSTED_SECONDS, received=late)
    assert clock.at(late) == 1000 + TRUSTED_SECONDS
