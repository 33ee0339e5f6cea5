"""Fair rates: examples by hand, the definition of max-min fairness, and an exact reference, on random flows."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies.fair_share import connected_flows, fair_rates, refreshed_rates

CLOSE = 1e-9


@dataclass(frozen=True)
class Flows:
    """Flows as lists: the links of each, its weight and its demand; and the capacity of each link."""

    paths: list[list[int]]
    capacities: list[float]
    weights: list[float]
    demands: list[float]

    def csr(self):
        offsets = np.concatenate(([0], np.cumsum([len(path) for path in self.paths], dtype=np.int64)))
        return offsets.astype(np.int64), np.array([link for path in self.paths for link in path], dtype=np.int64)

    def rest(self):
        return np.array(self.capacities), np.array(self.weights), np.array(self.demands)

    def rates(self):
        return fair_rates(*self.csr(), *self.rest())

    def refreshed(self, rates, touched):
        return refreshed_rates(np.array(rates), np.array(touched, dtype=np.int64), *self.csr(), *self.rest())


def plain(paths, capacities):
    return Flows(paths, capacities, [1.0] * len(paths), [np.inf] * len(paths))


@st.composite
def random_flows(draw, equal_weights=False):
    n_links, n_flows = draw(st.integers(1, 8)), draw(st.integers(0, 10))
    links = st.lists(st.integers(0, n_links - 1), min_size=1, max_size=4)
    capacity = st.one_of(st.sampled_from([0.0, 1.0, 2.0, 3.0]), st.floats(1e-3, 1e3))
    weight = st.just(1.0) if equal_weights else st.one_of(st.sampled_from([1.0, 2.0]), st.floats(1e-2, 1e2))
    demand = st.one_of(st.just(np.inf), st.sampled_from([0.0, 0.5, 1.0]), st.floats(1e-6, 1e3))
    return Flows(
        draw(st.lists(links, min_size=n_flows, max_size=n_flows)),
        draw(st.lists(capacity, min_size=n_links, max_size=n_links)),
        draw(st.lists(weight, min_size=n_flows, max_size=n_flows)),
        draw(st.lists(demand, min_size=n_flows, max_size=n_flows)),
    )


def exact_rates(flows):
    """Progressive filling of the textbook in fractions: one level at a time, until every flow has stopped."""
    left = [Fraction(capacity) for capacity in flows.capacities]
    weights = [Fraction(weight) for weight in flows.weights]
    rates, growing = [Fraction(0)] * len(flows.paths), set(range(len(flows.paths)))
    while growing:
        pull = [sum(weights[f] * flows.paths[f].count(link) for f in growing) for link in range(len(left))]
        room = [left[link] / pull[link] for link in range(len(left)) if pull[link]]
        room += [(Fraction(flows.demands[f]) - rates[f]) / weights[f] for f in growing if flows.demands[f] < np.inf]
        for f in growing:
            rates[f] += weights[f] * min(room)
        left = [have - min(room) * used for have, used in zip(left, pull, strict=True)]
        growing -= {f for f in growing if rates[f] == flows.demands[f] or any(left[k] == 0 for k in flows.paths[f])}
    return [float(rate) for rate in rates]


def loads(flows, rates):
    found = np.zeros(len(flows.capacities))
    for path, rate in zip(flows.paths, rates, strict=True):
        for link in path:
            found[link] += rate
    return found


def joined(flows, touched):
    """Flows that the touched links can move: links and flows are joined until nothing changes."""
    links, found = set(touched), set()
    while True:
        more = {f for f, path in enumerate(flows.paths) if links & set(path)}
        if more == found:
            return [f in found for f in range(len(flows.paths))]
        found, links = more, links | {link for f in more for link in flows.paths[f]}


# by hand


def test_flows_on_one_link_share_it_equally():
    assert plain([[0], [0], [0], [0]], [10.0]).rates() == pytest.approx([2.5] * 4)


def test_a_flow_across_a_line_of_links_gets_the_share_of_its_tightest_one_and_the_others_the_rest():
    flows = plain([[0, 1, 2], [0], [1], [1], [2]], [10.0, 3.0, 8.0])
    assert flows.rates() == pytest.approx([1, 9, 1, 1, 7])


def test_what_a_flow_does_not_want_goes_to_the_others():
    flows = replace(plain([[0], [0], [0]], [10.0]), demands=[1.0, 4.0, np.inf])
    assert flows.rates() == pytest.approx([1, 4, 5])


def test_weights_share_a_link_in_proportion():
    flows = replace(plain([[0], [0]], [8.0]), weights=[1.0, 3.0])
    assert flows.rates() == pytest.approx([2, 6])


def test_a_link_that_a_flow_names_twice_carries_it_twice():
    assert plain([[0, 0], [0]], [9.0]).rates() == pytest.approx([3, 3])


def test_a_link_without_capacity_stops_its_flows_and_no_others():
    assert plain([[0, 1], [1]], [0.0, 4.0]).rates() == pytest.approx([0, 4])


def test_a_flow_without_links_gets_its_demand():
    flows = replace(plain([[], [0], []], [4.0]), demands=[7.0, np.inf, np.inf])
    assert flows.rates().tolist() == [7.0, 4.0, np.inf]


def test_without_weights_and_demands_all_flows_are_equal_and_want_all_they_get():
    flows = plain([[0, 1], [1, 2], [2, 0], [2]], [5.0, 7.0, 8.0])
    assert fair_rates(*flows.csr(), np.array(flows.capacities)).tolist() == flows.rates().tolist()


def test_no_flows_have_no_rates():
    assert plain([], [1.0]).rates().tolist() == []


def test_the_arguments_stay_as_they_were():
    flows = replace(plain([[0], [0]], [8.0]), demands=[1.0, np.inf])
    csr, rest = flows.csr(), flows.rest()
    fair_rates(*csr, *rest)
    for kept, fresh in zip((*csr, *rest), (*flows.csr(), *flows.rest()), strict=True):
        assert np.array_equal(kept, fresh)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"capacities": [-1.0]}, r"found capacities of -1.0; allowed: finite and at least 0"),
        ({"capacities": [np.inf]}, r"found capacities of inf"),
        ({"weights": [1.0, 0.0]}, r"found weights of 0.0; allowed: finite and above 0"),
        ({"demands": [np.nan, 1.0]}, r"found demands of nan; allowed: at least 0"),
    ],
)
def test_values_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(plain([[0], [0]], [8.0]), **change).rates()


@pytest.mark.parametrize("offsets", [[0, 1], [1, 2], [0, 2, 1, 2]])
def test_offsets_that_do_not_cover_the_links_are_refused(offsets):
    with pytest.raises(ValueError, match="offsets that do not rise from 0 to the number of link entries, 2"):
        fair_rates(np.array(offsets), np.array([0, 0]), np.array([1.0]))


# the definition, on random flows


@given(random_flows())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_the_rates_are_those_of_filling_one_level_at_a_time_in_fractions(flows):
    scale = max(flows.capacities)
    assert flows.rates() == pytest.approx(exact_rates(flows), rel=CLOSE, abs=CLOSE * scale)


@given(random_flows())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_no_link_carries_more_than_its_capacity(flows):
    for load, capacity in zip(loads(flows, flows.rates()), flows.capacities, strict=True):
        assert load <= capacity * (1 + CLOSE)


@given(random_flows())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_no_flow_gets_more_than_its_demand_or_less_than_nothing(flows):
    rates = flows.rates()
    assert (rates <= flows.demands).all()
    assert (rates >= 0).all()


@given(random_flows())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_no_flow_can_grow_but_at_the_cost_of_one_with_no_higher_rate_for_its_weight(flows):
    """It has its demand, or a full link on which no other flow has more for its weight (Bertsekas and Gallager)."""
    rates = flows.rates()
    load = loads(flows, rates)
    level = rates / np.array(flows.weights)
    for f, path in enumerate(flows.paths):
        full = [link for link in path if load[link] >= flows.capacities[link] * (1 - CLOSE)]
        highest = [max(level[g] for g, other in enumerate(flows.paths) if link in other) for link in full]
        slack = CLOSE * max(flows.capacities) / min(flows.weights)
        assert rates[f] == flows.demands[f] or level[f] >= min(highest, default=np.inf) * (1 - CLOSE) - slack


@given(random_flows(), st.data())
@settings(derandomize=True, deadline=None)
def test_the_order_of_flows_of_links_and_of_the_links_of_a_flow_does_not_matter(flows, data):
    order = data.draw(st.permutations(range(len(flows.paths))))
    label = data.draw(st.permutations(range(len(flows.capacities))))
    other = Flows(
        [[label[link] for link in reversed(flows.paths[f])] for f in order],
        [flows.capacities[label.index(link)] for link in range(len(label))],
        [flows.weights[f] for f in order],
        [flows.demands[f] for f in order],
    )
    expected = [flows.rates()[f] for f in order]
    assert other.rates() == pytest.approx(expected, rel=CLOSE, abs=CLOSE * max(flows.capacities))


@given(random_flows(), st.floats(1e-6, 1e9), st.floats(1e-2, 1e2))
@settings(derandomize=True, deadline=None)
def test_rates_scale_with_capacities_and_demands_and_not_with_weights(flows, factor, heavier):
    other = Flows(
        flows.paths,
        [factor * capacity for capacity in flows.capacities],
        [heavier * weight for weight in flows.weights],
        [factor * demand for demand in flows.demands],
    )
    scale = factor * max(flows.capacities)
    assert other.rates() == pytest.approx(factor * flows.rates(), rel=CLOSE, abs=CLOSE * scale)


@given(random_flows(equal_weights=True), st.data())
@settings(derandomize=True, deadline=None)
def test_a_wider_link_never_lowers_the_smallest_rate(flows, data):
    link = data.draw(st.integers(0, len(flows.capacities) - 1))
    wider = [capacity + 1.0 if at == link else capacity for at, capacity in enumerate(flows.capacities)]
    least = min(flows.rates(), default=0.0)
    assert min(replace(flows, capacities=wider).rates(), default=0.0) >= least * (1 - CLOSE)


def test_thousands_of_flows_over_thousands_of_links_meet_the_definition():
    rng = np.random.default_rng(7)
    n_flows, n_links = 2_000, 10_000
    offsets = np.arange(n_flows + 1) * 8
    links = rng.integers(0, n_links, 8 * n_flows)
    capacities, demands = rng.uniform(1, 100, n_links), rng.uniform(0, 60, n_flows)
    rates = fair_rates(offsets, links, capacities, demands=demands)
    flow_of = np.repeat(np.arange(n_flows), 8)
    load = np.bincount(links, rates[flow_of], n_links)
    assert (load <= capacities * (1 + CLOSE)).all()
    highest = np.zeros(n_links)
    np.maximum.at(highest, links, rates[flow_of])
    bottleneck = (load >= capacities * (1 - CLOSE))[links] & (rates[flow_of] >= highest[links] * (1 - CLOSE))
    assert (np.logical_or.reduceat(bottleneck, offsets[:-1]) | (rates == demands)).all()
    assert 0 < (rates == demands).sum() < n_flows
    assert np.array_equal(rates, fair_rates(offsets, links, capacities, demands=demands))


# changes


@given(random_flows(), st.data())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_the_flows_that_a_change_can_move_are_those_joined_to_its_links(flows, data):
    touched = data.draw(st.lists(st.integers(0, len(flows.capacities) - 1), max_size=3))
    found = connected_flows(*flows.csr(), len(flows.capacities), np.array(touched, dtype=np.int64))
    assert found.tolist() == joined(flows, touched)


@given(random_flows(), random_flows(), st.data())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_rates_after_a_flow_came_went_or_changed_are_all_rates_computed_anew(flows, others, data):
    """One flow of the old ones goes, another gets the weight and demand of a new one, and a new one comes."""
    n_links = len(flows.capacities)
    new = [
        ([link % n_links for link in path], weight, demand)
        for path, weight, demand in zip(others.paths, others.weights, others.demands, strict=True)
    ]
    rows = list(zip(flows.paths, flows.weights, flows.demands, flows.rates().tolist(), strict=True))
    touched = []
    if rows:
        touched += rows.pop(data.draw(st.integers(0, len(rows) - 1)))[0]
    if rows and new:
        at = data.draw(st.integers(0, len(rows) - 1))
        rows[at] = (rows[at][0], new[0][1], new[0][2], rows[at][3])
        touched += rows[at][0]
    if new:
        rows.insert(data.draw(st.integers(0, len(rows))), (*new[-1], np.nan))
        touched += new[-1][0]
    paths, weights, demands, rates = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    after = Flows(paths, flows.capacities, weights, demands)
    assert after.refreshed(rates, touched).tolist() == after.rates().tolist()


@given(random_flows(), st.data())
@settings(derandomize=True, deadline=None)
def test_rates_after_a_link_changed_are_all_rates_computed_anew(flows, data):
    link = data.draw(st.integers(0, len(flows.capacities) - 1))
    capacities = [1.5 if at == link else capacity for at, capacity in enumerate(flows.capacities)]
    after = replace(flows, capacities=capacities)
    assert after.refreshed(flows.rates(), [link]).tolist() == after.rates().tolist()


def test_a_change_leaves_the_rates_that_it_cannot_reach_alone():
    flows = plain([[0], [1], [1, 2]], [4.0, 6.0, 9.0])
    marked = [-1.0, np.nan, np.nan]
    assert flows.refreshed(marked, [2]).tolist() == [-1.0, 3.0, 3.0]
    csr = flows.csr()
    found = refreshed_rates(np.array(marked), np.array([2]), *csr, np.array(flows.capacities))
    assert found.tolist() == [-1.0, 3.0, 3.0]
