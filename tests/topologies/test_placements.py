"""Chips that go from gangs to gangs: what must be kept for them, and what is left."""

from topologies.boxes import Box
from topologies.placements import handed_over


def test_chips_behind_switches_are_counted_by_domain():
    assert handed_over([([((0, 8),)], [((0, 5),)])]) == ((), ((0, 3),))
    assert handed_over([([((0, 4),), ((1, 8),)], [((0, 6), (1, 8))])]) == (((0, 2),), ())


def test_what_a_later_step_frees_is_of_no_use_to_an_earlier_one():
    first, second = ([((0, 4),)], [((0, 6),)]), ([((0, 4),)], [((1, 2),)])
    assert handed_over([first, second]) == (((0, 2), (1, 2)), ((0, 4),))
    assert handed_over([second, first]) == (((1, 2),), ((0, 2),))


def test_what_an_earlier_step_leaves_is_there_for_a_later_one():
    assert handed_over([([((0, 8),)], [((0, 5),)]), ([], [((0, 2),)])]) == ((), ((0, 1),))
    assert handed_over([([((0, 8),)], [((0, 5),)]), ([((0, 1),)], [((0, 4),)])]) == ((), ())


def test_chips_of_a_torus_are_told_apart():
    stops, starts = ((0, Box(2, 0b0011)),), ((0, Box(2, 0b0110)),)
    assert handed_over([([stops], [starts])]) == (((0, Box(1, 0b0100)),), ((0, Box(1, 0b0001)),))
    assert handed_over([([stops], [])]) == ((), stops)
