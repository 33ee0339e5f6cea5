"""Power divided among groups: by hand, by the conditions of the optimum, by a general optimiser, to the nanowatt."""

import warnings
from copy import deepcopy
from math import inf

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, nnls

from policies.equal import equal
from policies.loads import Load, at_one_price
from policies.water_fill import solved, water_fill
from topologies.power import NW_PER_W as W

BOTH = [equal, water_fill]


def group(chips=1, range_w=100, floor=0.0, exponent=0.5, value=1.0, base_w=0, under=()):
    return Load(chips, base_w * W, range_w * W, floor, exponent, value, dict(under))


def inside(*limits, chips=1):
    """All chips under each of these limits."""
    return dict.fromkeys(limits, chips)


def near(fractions):
    return pytest.approx(fractions, rel=1e-9, abs=1e-9)


def levels(loads, feed_nw, limits_nw):
    """Each level as (spare [nW], chips by position)."""
    feed = [] if feed_nw is None else [(feed_nw, [load.chips for load in loads])]
    below = [[load.under.get(at, 0) if load.chips else 0 for load in loads] for at in range(len(limits_nw))]
    return feed + list(zip(limits_nw, below, strict=True))


def drawn_nw(loads, chips, fractions):
    return sum(n * load.draw_nw(at) for load, n, at in zip(loads, chips, fractions, strict=True))


def holds_floors(loads, spare_nw, chips):
    return sum(n * load.least_nw for load, n in zip(loads, chips, strict=True)) <= spare_nw


def worth(loads, fractions):
    return sum(load.chips * load.value * load.speed(at) for load, at in zip(loads, fractions, strict=True))


# a group


@pytest.mark.parametrize(("fraction", "draw_nw"), [(0, 7), (0.5, 12), (0.75, 15), (0.999, 17), (1, 18)])
def test_a_chip_draws_its_base_and_a_whole_number_of_nanowatts_of_its_range(fraction, draw_nw):
    assert Load(3, 7, 11, 0.5, 0.5).draw_nw(fraction) == draw_nw


def test_a_chips_least_and_full_draw_are_those_at_its_floor_and_at_1():
    load = Load(3, 7, 11, 0.5, 0.5)
    assert (load.least_nw, load.full_nw) == (12, 18)


def test_speed_is_a_power_of_the_fraction():
    assert group(exponent=0.5).speed(0.25) == 0.5
    assert group(exponent=1).speed(0.25) == 0.25
    assert group(floor=0.2).speed(1.0) == 1.0


def test_a_chip_without_a_range_runs_at_full_speed_whatever_its_cap():
    assert group(range_w=0).speed(0.25) == 1.0


# both policies


@pytest.mark.parametrize("allocate", BOTH)
@pytest.mark.parametrize(("feed_nw", "limits_nw"), [(None, []), (240 * W, []), (None, [120 * W]), (240 * W, [120 * W])])
def test_what_fits_at_full_demand_is_not_capped(allocate, feed_nw, limits_nw):
    loads = [group(base_w=20, floor=0.3, under=inside(0)), group(base_w=20)]
    assert allocate(loads, feed_nw, limits_nw) == [1.0, 1.0]


@pytest.mark.parametrize("allocate", BOTH)
def test_no_groups_get_no_fractions(allocate):
    assert allocate([], 0, []) == allocate([], 0, [0]) == allocate([], None, []) == []


@pytest.mark.parametrize("allocate", BOTH)
@pytest.mark.parametrize("limits_nw", [[], [1_000 * W]])
def test_groups_that_do_not_run_or_have_no_range_get_1_and_the_others_what_these_leave(allocate, limits_nw):
    loads = [group(0, base_w=50), group(2, range_w=0, base_w=20), group(2, base_w=10, under=inside(0, chips=2))]
    assert allocate(loads, 100 * W, limits_nw) == near([1.0, 1.0, 0.2])


@pytest.mark.parametrize("allocate", BOTH)
@pytest.mark.parametrize("limits_nw", [[], [1_000 * W]])
def test_a_feed_that_does_not_hold_the_floors_leaves_all_at_their_floors(allocate, limits_nw):
    loads = [group(floor=0.4), group(floor=0.2), group(range_w=0, base_w=5)]
    assert allocate(loads, 64 * W, limits_nw) == [0.4, 0.2, 1.0]
    assert allocate(loads, -1, limits_nw) == [0.4, 0.2, 1.0]


@pytest.mark.parametrize("allocate", BOTH)
def test_floors_that_just_fit_are_kept(allocate):
    loads = [group(floor=0.4), group(floor=0.2)]
    assert allocate(loads, 60 * W, []) == near([0.4, 0.2])
    assert allocate(loads, 60 * W, [500 * W]) == near([0.4, 0.2])


@pytest.mark.parametrize("allocate", BOTH)
def test_only_groups_under_a_level_that_does_not_hold_their_floors_fall_to_them(allocate):
    loads = [group(floor=0.5, under=inside(0)), group(floor=0.1, under=inside(1)), group()]
    assert allocate(loads, 110 * W, [40 * W, 90 * W]) == near([0.5, 0.3, 0.3])


@pytest.mark.parametrize("allocate", BOTH)
def test_a_group_always_at_full_demand_takes_its_power_first(allocate):
    loads = [group(floor=1.0), group(under=inside(0))]
    assert allocate(loads, 130 * W, [200 * W]) == allocate(loads, 130 * W, []) == near([1.0, 0.3])


@pytest.mark.parametrize("allocate", BOTH)
def test_a_level_shares_only_among_the_chips_under_it(allocate):
    loads = [group(under=inside(0)), group(under=inside(0)), group()]
    assert allocate(loads, 220 * W, [60 * W]) == near([0.3, 0.3, 1.0])
    assert allocate(loads, 110 * W, [60 * W]) == near([0.3, 0.3, 0.5])


@pytest.mark.parametrize("allocate", BOTH)
def test_limits_that_share_no_group_are_filled_apart(allocate):
    loads = [group(under=inside(0)), group(under=inside(1)), group(under=inside(2)), group()]
    assert allocate(loads, None, [30 * W, 70 * W, 100 * W]) == near([0.3, 0.7, 1.0, 1.0])


@pytest.mark.parametrize("allocate", BOTH)
def test_a_gang_under_two_limits_goes_by_the_tighter(allocate):
    loads = [group(2, under={0: 1, 1: 1})]
    assert allocate(loads, 180 * W, [70 * W, 40 * W]) == near([0.4])


@pytest.mark.parametrize("allocate", BOTH)
@pytest.mark.parametrize("spare_nw", range(0, 31, 5))
def test_a_level_of_a_few_nanowatts_is_not_overdrawn(allocate, spare_nw):
    loads = [Load(3, 0, 10, 0.0, 0.5, under={0: 2, 1: 3})]
    for feed_nw, limits_nw in ((spare_nw, []), (None, [spare_nw, 30]), (spare_nw, [9, 30])):
        fractions = allocate(loads, feed_nw, limits_nw)
        assert all(drawn_nw(loads, chips, fractions) <= spare for spare, chips in levels(loads, feed_nw, limits_nw))


# equal fractions


def test_like_groups_get_half_of_their_range_from_half_of_the_power():
    assert equal([group(3), group(5)], 400 * W, []) == [0.5, 0.5]


def test_base_draws_are_paid_before_ranges():
    assert equal([group(10, range_w=80, base_w=20)], 600 * W, []) == [0.5]


def test_a_floor_above_the_common_fraction_is_kept_and_the_others_pay_for_it():
    assert equal([group(floor=0.6), group()], 100 * W, []) == near([0.6, 0.4])


def test_a_floor_can_lower_the_common_fraction_below_the_next_floor():
    assert equal([group(floor=0.9), group(floor=0.5), group()], 150 * W, []) == near([0.9, 0.5, 0.1])


def test_where_a_limit_is_full_the_others_go_on():
    loads = [group(under=inside(0)), group(under=inside(1)), group()]
    assert equal(loads, 180 * W, [30 * W, 60 * W]) == near([0.3, 0.6, 0.9])


def test_a_gang_held_by_one_limit_leaves_the_rest_of_another_to_its_neighbour():
    loads = [group(2, under={0: 1, 1: 1}), group(under=inside(1)), group(under=inside(0))]
    assert equal(loads, None, [40 * W, 100 * W]) == near([0.2, 0.8, 0.2])


# water-filling with one level


def test_with_square_roots_four_times_the_power_goes_to_double_the_value():
    assert water_fill([group(value=2), group()], 50 * W, []) == near([0.4, 0.1])


def test_a_group_that_is_full_leaves_the_rest_to_the_others():
    assert water_fill([group(value=2), group()], 150 * W, []) == near([1.0, 0.5])


def test_a_group_at_its_floor_takes_its_power_from_the_others():
    assert water_fill([group(value=2), group(floor=0.3)], 50 * W, []) == near([0.2, 0.3])


def test_half_the_range_is_worth_four_times_the_fraction():
    assert water_fill([group(), group(range_w=50)], 60 * W, []) == near([0.2, 0.8])


def test_the_number_of_chips_weighs_worth_and_power_alike():
    assert water_fill([group(8), group(2), group(value=2)], 700 * W, []) == near([0.6, 0.6, 1.0])
    assert water_fill([group(8), group(2), group(value=2)], 280 * W, []) == near([0.2, 0.2, 0.8])


def test_groups_of_unlike_exponents_meet_at_one_price():
    fractions = [0.25, (1 / 3) ** 1.5]  # where k phi ** (k - 1) = 1
    loads = [group(exponent=1 / 2), group(exponent=1 / 3)]
    assert water_fill(loads, int(sum(fractions) * 100 * W), []) == near(fractions)


def test_straight_groups_go_by_value_per_watt():
    loads = [group(exponent=1), group(exponent=1, value=3), group(exponent=1, value=4, range_w=200)]
    assert water_fill(loads, 50 * W, []) == near([0.0, 0.5, 0.0])
    assert water_fill(loads, 150 * W, []) == near([0.0, 1.0, 0.25])
    assert water_fill(loads, 350 * W, []) == near([0.5, 1.0, 1.0])


def test_straight_groups_of_one_value_share_what_is_left_above_their_floors():
    loads = [group(exponent=1, floor=0.2), group(3, exponent=1), group(exponent=1, value=2)]
    assert water_fill(loads, 160 * W, []) == near([0.2 + 0.8 * 40 / 380, 40 / 380, 1.0])


def test_a_straight_group_gets_what_a_curved_one_leaves_at_its_price():
    loads = [group(exponent=1), group(exponent=0.5)]  # the curved one is worth 1 / 100 W at a quarter
    assert water_fill(loads, 75 * W, []) == near([0.5, 0.25])
    assert water_fill(loads, 16 * W, []) == near([0.0, 0.16])


def test_a_nearly_straight_group_is_as_good_as_straight():
    loads = [group(exponent=1 - 1e-6, value=2), group(exponent=1 - 1e-6)]
    assert water_fill(loads, 150 * W, []) == pytest.approx([1.0, 0.5], abs=1e-6)


@pytest.mark.parametrize("power_nw", [100.0, 101.0])
@pytest.mark.parametrize("bend", [2.0, inf])
def test_power_for_all_leaves_a_part_at_1(power_nw, bend):
    assert at_one_price([(100.0, 0.0, 0.0 if bend == inf else inf, bend, 0.0)], power_nw) == [1.0]


# water-filling with several


def test_only_a_groups_chips_under_a_limit_pay_for_it():
    loads = [group(2, under={0: 1}), group(under=inside(0))]
    assert water_fill(loads, None, [50 * W]) == near([0.4, 0.1])


def test_two_limits_and_the_feed_meet_the_sum_of_their_prices():
    loads = [group(2, under={0: 1, 1: 1}), group(under=inside(0)), group(under=inside(1)), group()]
    fractions = water_fill(loads, 130 * W, [50 * W, 50 * W])
    assert fractions == pytest.approx([0.25, 0.25, 0.25, 0.3], abs=1e-8)


def test_one_limit_named_twice_is_one_limit():
    loads = [group(value=2, under=inside(0, 1, 2)), group(under=inside(0, 1, 2)), group()]
    fractions = water_fill(loads, 70 * W, [50 * W, 50 * W, 51 * W])
    assert fractions == pytest.approx([0.4, 0.1, 0.2], abs=1e-7)


def test_straight_groups_under_a_limit_and_the_feed_go_by_value_per_watt():
    loads = [
        group(exponent=1, value=3, under=inside(0)),
        group(exponent=1, value=2, under=inside(0)),
        group(exponent=1),
    ]
    assert water_fill(loads, 170 * W, [120 * W]) == pytest.approx([1.0, 0.2, 0.5], abs=1e-7)


@pytest.mark.parametrize("size", [1, 3, 12])
def test_a_sparse_symmetric_system_is_solved(size):
    chance = np.random.default_rng(size)
    root = chance.normal(size=(size, 2 * size)) * (chance.random((size, 2 * size)) < 0.3)
    matrix, right = root @ root.T + 0.1 * np.eye(size), chance.normal(size=size)
    rows = [{at: matrix[row, at] for at in range(row, size) if matrix[row, at]} for row in range(size)]
    assert solved(rows, list(right)) == pytest.approx(np.linalg.solve(matrix, right))


# whatever the groups and levels

SHARES = st.one_of(st.floats(0.02, 1.2), st.sampled_from([0.0, -0.1, 0.5]))
EXPONENTS = st.sampled_from([0.3, 0.56, 0.8, 1.0])


@st.composite
def trees(draw, most_limits=3, shares=SHARES, exponents=EXPONENTS):
    """Groups, a feed and lower limits, each level with a share of what lies between floors and full demand."""
    count = draw(st.integers(0, most_limits))
    loads = []
    for _ in range(draw(st.integers(1, 6))):
        chips = draw(st.sampled_from([0, 1, 3, 8, 64, 1_000, 20_000]))
        under, left = {}, chips
        for limit in draw(st.permutations(range(count))):
            under[limit] = draw(st.sampled_from([0, left // 3, left]))
            left -= under[limit] if draw(st.booleans()) else 0
        loads.append(
            Load(
                chips,
                draw(st.integers(0, 100 * W)),
                draw(st.sampled_from([0, 350 * W, 500 * W, 600 * W + 1, 1_000 * W - 1])),
                draw(st.sampled_from([0.0, 0.1, 0.25, 0.9, 1.0])),
                draw(exponents),
                draw(st.sampled_from([0.2, 1.0, 1.0, 1.5, 10.0])),
                under,
            )
        )

    def some(chips):
        least, full = (
            sum(n * nw for n, nw in zip(chips, draws, strict=True))
            for draws in ([load.least_nw for load in loads], [load.full_nw for load in loads])
        )
        return least + int(draw(shares) * (full - least))

    limits_nw = [some([load.under.get(at, 0) if load.chips else 0 for load in loads]) for at in range(count)]
    feed_nw = draw(st.sampled_from([None, 0, 0, 0]))
    return loads, feed_nw if feed_nw is None else some([load.chips for load in loads]), limits_nw


def checked(examples):
    return settings(derandomize=True, deadline=None, max_examples=examples)


@pytest.mark.parametrize("allocate", BOTH)
@checked(300)
@given(tree=trees())
def test_no_level_that_holds_the_floors_is_overdrawn_by_a_nanowatt(allocate, tree):
    loads, *powers = tree
    fractions = allocate(loads, *powers)
    for spare_nw, chips in levels(loads, *powers):
        if holds_floors(loads, spare_nw, chips):
            assert drawn_nw(loads, chips, fractions) <= spare_nw


@pytest.mark.parametrize("allocate", BOTH)
@checked(300)
@given(tree=trees())
def test_fractions_lie_between_floor_and_1_and_on_the_floor_where_floors_do_not_fit(allocate, tree):
    loads, *powers = tree
    fractions = allocate(loads, *powers)
    assert all(load.floor <= at <= 1.0 for load, at in zip(loads, fractions, strict=True))
    assert all(at == 1.0 for load, at in zip(loads, fractions, strict=True) if not load.chips * load.range_nw)
    for spare_nw, chips in levels(loads, *powers):
        if not holds_floors(loads, spare_nw, chips):
            below = [(load, at) for load, n, at in zip(loads, chips, fractions, strict=True) if n and load.range_nw]
            assert all(at == load.floor for load, at in below)


@pytest.mark.parametrize("allocate", BOTH)
@checked(100)
@given(tree=trees())
def test_groups_and_powers_stay_as_they_were(allocate, tree):
    before = deepcopy(tree)
    allocate(*tree)
    for load, was in zip(tree[0], before[0], strict=True):
        assert all(getattr(load, name) == getattr(was, name) for name in Load.__slots__)
    assert tree[1:] == before[1:]


@pytest.mark.parametrize("allocate", BOTH)
@checked(150)
@given(tree=trees(), chance=st.randoms(use_true_random=False))
def test_the_order_of_groups_does_not_matter(allocate, tree, chance):
    loads, *powers = tree
    order = list(range(len(loads)))
    chance.shuffle(order)
    fractions = allocate(loads, *powers)
    assert allocate([loads[at] for at in order], *powers) == pytest.approx([fractions[at] for at in order], abs=1e-6)


@pytest.mark.parametrize("allocate", BOTH)
@checked(150)
@given(tree=trees(most_limits=0))
def test_a_limit_over_all_chips_is_like_a_feed(allocate, tree):
    loads, feed_nw, _ = tree
    fractions = allocate(loads, feed_nw, [])
    for load in loads:
        load.under = {0: load.chips, 1: load.chips}
    limit_nw = 1 << 80 if feed_nw is None else feed_nw
    assert allocate(loads, None, [limit_nw, 1 << 80]) == near(fractions)


@pytest.mark.parametrize("allocate", BOTH)
@checked(200)
@given(tree=trees())
def test_a_capped_group_is_under_a_level_with_nothing_left(allocate, tree):
    loads, *powers = tree
    fractions = allocate(loads, *powers)
    full = [
        chips
        for spare_nw, chips in levels(loads, *powers)
        if spare_nw - drawn_nw(loads, chips, fractions) <= sum(chips) + 1e-8 * abs(spare_nw)
    ]
    for at, fraction in enumerate(fractions):
        assert fraction == 1.0 or any(chips[at] for chips in full)


@checked(300)
@given(tree=trees())
def test_equal_no_group_can_rise_but_by_lowering_one_that_is_not_above_it(tree):
    loads, *powers = tree
    fractions = equal(loads, *powers)
    for at, fraction in enumerate(fractions):
        assert fraction == 1.0 or any(
            chips[at]
            and spare_nw - drawn_nw(loads, chips, fractions) <= 2 * sum(chips)
            and all(
                other <= fraction or other == load.floor or not n or not load.range_nw
                for load, n, other in zip(loads, chips, fractions, strict=True)
            )
            for spare_nw, chips in levels(loads, *powers)
        )


@checked(300)
@given(tree=trees())
def test_water_filling_is_never_worth_less_than_equal_fractions(tree):
    assert worth(tree[0], water_fill(*tree)) >= worth(tree[0], equal(*tree)) * (1 - 1e-8)


@checked(200)
@given(tree=trees(), which=st.integers(0, 3), more=st.floats(0, 0.5))
def test_more_power_at_a_level_is_never_worth_less(tree, which, more):
    loads, feed_nw, limits_nw = tree
    before = worth(loads, water_fill(loads, feed_nw, limits_nw))
    if which < len(limits_nw):
        limits_nw[which] += int(more * abs(limits_nw[which]))
    elif feed_nw is not None:
        feed_nw += int(more * abs(feed_nw))
    assert worth(loads, water_fill(loads, feed_nw, limits_nw)) >= before * (1 - 1e-8)


# water-filling against the conditions of the optimum and a general optimiser, scaled to worth and power of about 1

LOOSE = st.floats(0.05, 1.1)


class Program:
    """Groups that can move, every level a row: what part of its power each group's full range takes."""

    def __init__(self, loads, feed_nw, limits_nw):
        self.at = [at for at, load in enumerate(loads) if load.chips and load.range_nw and load.floor < 1.0]
        rows = []
        for spare_nw, chips in levels(loads, feed_nw, limits_nw):
            fixed = [load.base_nw if at in self.at else load.full_nw for at, load in enumerate(loads)]
            left_nw = spare_nw - sum(n * nw for n, nw in zip(chips, fixed, strict=True))
            if any(chips[at] for at in self.at):
                rows.append([chips[at] * loads[at].range_nw / left_nw for at in self.at])
        self.draws = np.array(rows, float).reshape(len(rows), len(self.at))
        self.floors = np.array([loads[at].floor for at in self.at])
        self.exponents = np.array([loads[at].exponent for at in self.at])
        weights = np.array([loads[at].chips * loads[at].value for at in self.at])
        self.weights = weights / weights.sum()

    def worth(self, fractions):
        return float(self.weights @ fractions**self.exponents)

    def slopes(self, fractions):
        return self.weights * self.exponents * fractions ** (self.exponents - 1)

    def bound(self, prices):
        """What no fractions within the levels can be worth more than, whatever the prices (weak duality)."""
        paid = prices @ self.draws
        with np.errstate(divide="ignore", over="ignore"):
            best = (self.weights * self.exponents / paid) ** (1 / (1 - np.minimum(self.exponents, 1 - 1e-12)))
        best = np.where(self.exponents == 1, paid < self.weights, best)
        best = np.clip(best, self.floors, 1.0)
        return self.worth(best) - paid @ best + prices.sum()

    def prices(self, fractions):
        """The prices that explain the slopes best, and what is left unexplained of a slope."""
        slopes, unit = self.slopes(fractions), np.eye(len(self.at))
        full = self.draws @ fractions > 1 - 1e-6
        causes = [
            self.draws[full].T / slopes[:, None],
            unit[:, fractions > 1 - 1e-6],
            -unit[:, fractions < self.floors + 1e-6],
        ]
        found, left = nnls(np.hstack(causes), np.ones(len(self.at)))
        prices = np.zeros(len(self.draws))
        prices[full] = found[: full.sum()]
        return prices, left

    def optimiser(self, start):
        """The worth that SLSQP reaches from a start, brought back within the levels."""
        least = np.maximum(self.floors, 1e-9)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = minimize(
                lambda x: -self.worth(x),
                np.clip(start, least, 1.0),
                jac=lambda x: -self.slopes(x),
                bounds=[(low, 1.0) for low in least],
                constraints={"type": "ineq", "fun": lambda x: 1 - self.draws @ x, "jac": lambda x: -self.draws},
                method="SLSQP",
                options={"ftol": 1e-13, "maxiter": 300},
            )
        above = np.clip(result.x, self.floors, 1.0) - self.floors
        room = 1 - self.draws @ self.floors
        shrink = max(1.0, float(np.max(self.draws @ above / room, initial=0.0)))
        return self.worth(self.floors + above / shrink)


@checked(300)
@given(tree=trees(shares=LOOSE))
def test_prices_of_full_levels_prove_water_filling_optimal(tree):
    program = Program(*tree)
    assume(program.at and len(program.draws))
    fractions = np.array(water_fill(*tree))[program.at]
    # every set of prices bounds the worth from above; a fraction or a level that is nearly at its end misleads the
    # first guess, so the best prices are looked for from there
    start, _ = program.prices(fractions)
    bound = program.bound(start)
    if bound > program.worth(fractions) * (1 + 1e-6):
        options = {"xatol": 1e-12, "fatol": 1e-12, "maxiter": 4000, "maxfev": 4000}
        found = minimize(lambda x: program.bound(np.abs(x)), start, method="Nelder-Mead", options=options)
        bound = min(bound, found.fun)
    assert 1 - 1e-9 <= bound / program.worth(fractions) <= 1 + 1e-6


@checked(150)
@given(tree=trees(shares=LOOSE))
def test_a_general_optimiser_finds_the_same_worth(tree):
    program = Program(*tree)
    assume(program.at and len(program.draws))
    found = program.worth(np.array(water_fill(*tree))[program.at])
    half = program.floors + (1 - program.floors) / 2
    starts = (half, np.array(equal(*tree))[program.at])
    assert found == pytest.approx(max(program.optimiser(start) for start in starts), rel=1e-6)


def hall(groups=40, limits=12):
    """Groups under one to three of the limits each; limits and feed hold half of what they need."""
    chance = np.random.default_rng(7)
    loads = []
    for _ in range(groups):
        picked = chance.choice(limits, size=chance.integers(1, 4), replace=False)
        chips = int(chance.integers(1, 200))
        loads.append(
            Load(
                chips * len(picked),
                90 * W,
                int(chance.choice([350, 500, 600])) * W,
                float(chance.choice([0.0, 0.1, 0.25])),
                float(chance.choice([0.56, 0.4, 0.8])),
                float(chance.choice([1.0, 2.0, 0.5])),
                {int(limit): chips for limit in picked},
            )
        )
    spare_nw = [
        sum(n * (load.least_nw + load.full_nw) // 2 for load, n in zip(loads, chips, strict=True))
        for _, chips in levels(loads, 0, [0] * limits)
    ]
    return loads, int(spare_nw[0] * 0.95), spare_nw[1:]


@pytest.mark.parametrize(("groups", "limits"), [(40, 12), (120, 60)])
def test_a_hall_of_many_limits_is_filled_to_the_optimum(groups, limits):
    tree = hall(groups, limits)
    program = Program(*tree)
    fractions = np.array(water_fill(*tree))[program.at]
    prices, left = program.prices(fractions)
    assert left < 1e-5
    assert sum(prices > 0) > limits / 2
    assert program.bound(prices) <= program.worth(fractions) * (1 + 1e-6)
