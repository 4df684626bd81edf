"""Meters: fields of a hash that read back as what was counted."""

from service.watch.meters import LONGEST_SECONDS, Meter, Timer, microseconds

TIMER = Timer("wait", (0.1, 1))
METER = Meter("doors", ("which", "how"))


def test_a_counter_reads_back_its_labels_and_no_other_meter_s() -> None:
    fields = {METER.field("front", ""): 3, METER.field("back", "slammed"): 1, "doorstep|x|y": 9}
    assert list(METER.read(fields)) == [(("back", "slammed"), 1), (("front", ""), 3)]


def test_a_duration_on_a_bound_belongs_to_its_bucket_and_buckets_hold_all_shorter_ones() -> None:
    counted = TIMER.count_all([0.1, 0.100001, 1, 7])
    buckets, total = TIMER.read(counted)
    assert buckets == [("0.1", 1), ("1", 3), ("+Inf", 4)]
    assert total == 8.200001


def test_a_timer_that_never_ran_has_all_its_buckets() -> None:
    assert TIMER.read({}) == ([("0.1", 0), ("1", 0), ("+Inf", 0)], 0)


def test_a_duration_since_the_beginning_of_time_counts_as_the_longest() -> None:
    timer = Timer("t", (1,))
    counted = timer.count_all([1_795_000_000.0])
    assert counted[timer.sum_field] == microseconds(LONGEST_SECONDS)
