"""What a plan has gained: who is in the first of two lists of running gangs only."""

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.gains import ended
from policies.view import Release


def runs(ends_s):
    return [Release(end_s, row, 1, ((0, 1),), 0, 0) for row, end_s in enumerate(sorted(ends_s))]


@settings(derandomize=True, deadline=None)
@given(ends_s=st.lists(st.integers(0, 9), max_size=20), data=st.data())
def test_who_has_ended_is_who_is_there_no_more(ends_s, data):
    before = runs(ends_s)
    gone = data.draw(st.sets(st.sampled_from(before))) if before else set()
    after = [run for run in before if run not in gone]
    assert ended(before, after) == sorted(gone)


@settings(derandomize=True, deadline=None)
@given(ends_s=st.lists(st.integers(0, 9), max_size=20), data=st.data())
def test_nothing_is_said_where_somebody_has_come_or_ends_at_another_time(ends_s, data):
    before = runs(ends_s)
    gone = data.draw(st.sets(st.sampled_from(before))) if before else set()
    come = Release(data.draw(st.integers(0, 9)) + 0.5, 99, 1, ((0, 1),), 0, 0)
    assert ended(before, sorted([*[run for run in before if run not in gone], come])) is None
