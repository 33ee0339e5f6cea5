"""Fair shares kept up to date: by hand, and on random comings and goings against all rates computed at once."""

import math
import random
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies.fair_share import fair_rates
from topologies.shares import Shares

CLOSE = 1e-9


@dataclass(frozen=True)
class Churn:
    """Capacities, and flows (name, links, weight, demand): one that is not there comes, one that is there goes."""

    capacities: list[float]
    steps: list[tuple[int, tuple[int, ...], float, float]]

    def played(self):
        """After each step: the shares, the flows that are there, the step's flow, what the step returned."""
        shares, present = Shares(self.capacities), {}
        for flow, links, weight, demand in self.steps:
            if flow in present:
                del present[flow]
                changed = shares.remove(flow)
            else:
                present[flow] = (links, weight, demand)
                changed = shares.add(flow, links, weight, demand)
            yield shares, present, flow, changed

    def fresh(self, present):
        shares = Shares(self.capacities)
        for flow, (links, weight, demand) in present.items():
            shares.add(flow, links, weight, demand)
        return shares


@st.composite
def churns(draw):
    """Few round numbers, so that links fill and flows are sated at the same level, or any numbers."""
    n_links, n_flows = draw(st.integers(1, 8)), draw(st.integers(1, 10))
    if draw(st.booleans()):
        capacity, demand = st.sampled_from([0.0, 1e9, 2e9, 3e9]), st.sampled_from([0.5e9, 1e9, 2e9, 1e12])
        weight = st.sampled_from([1.0, 2.0, 3.0])
    else:
        capacity, demand, weight = st.floats(1e8, 1e10), st.floats(1e7, 1e10), st.floats(0.2, 5.0)
    links = st.lists(st.integers(0, n_links - 1), max_size=5, unique=True).map(tuple)
    step = st.tuples(st.integers(0, n_flows - 1), links, weight, demand)
    capacities = draw(st.lists(capacity, min_size=n_links, max_size=n_links))
    return Churn(capacities, draw(st.lists(step, min_size=draw(st.integers(1, 25)), max_size=30)))


def rates_of(shares, present):
    return {flow: shares.rate(flow) for flow in present}


def all_at_once(capacities, present):
    paths = [links for links, _, _ in present.values()]
    rates = fair_rates(
        np.cumsum([0, *map(len, paths)]),
        np.array([link for links in paths for link in links], dtype=np.int64),
        np.array(capacities),
        np.array([weight for _, weight, _ in present.values()]),
        np.array([demand for _, _, demand in present.values()]),
    )
    return dict(zip(present, rates.tolist(), strict=True))


def demands_on(link, present):
    return [demand for links, _, demand in present.values() if link in links]


# by hand


def test_flows_share_a_full_link_by_weight_until_their_demand_is_met():
    shares = Shares([8.0])
    assert shares.add(1, (0,), 1.0, 100.0) == {1: 8.0}
    assert shares.add(2, (0,), 3.0, 100.0) == {1: 2.0, 2: 6.0}
    assert shares.add(0, (0,), 1.0, 0.5) == pytest.approx({0: 0.5, 1: 1.875, 2: 5.625})
    assert shares.remove(1) == {2: 7.5}


def test_room_on_a_full_link_goes_from_flow_to_flow_along_a_chain_of_links():
    """Link 0 freed lets flow 1 grow, which slows flow 2 on link 1, which lets flow 3 grow on link 2."""
    shares = Shares([4.0, 12.0, 12.0])
    shares.add(1, (0, 1), 1.0, 50.0)
    shares.add(2, (1, 2), 1.0, 50.0)
    shares.add(3, (2,), 0.25, 50.0)
    shares.add(4, (0,), 1.0, 50.0)
    assert rates_of(shares, (1, 2, 3, 4)) == pytest.approx({1: 2, 2: 9.6, 3: 2.4, 4: 2})
    assert shares.remove(4) == pytest.approx({1: 4, 2: 8, 3: 4})


def test_a_link_that_a_flow_left_can_be_full_sooner_than_its_room_tells_as_another_of_its_flows_is_let_go():
    """Without flow 0, flow 1 is held by link 1 at 5 instead of 10 / 3, so flow 2 finds 6 on link 0 and not 11 / 2."""
    shares = Shares([11.0, 10.0, 5.0])
    for flow, links in enumerate([(0, 1), (0, 1), (0,), (1, 2)]):
        shares.add(flow, links, 1.0, 100.0)
    assert rates_of(shares, range(4)) == pytest.approx({0: 10 / 3, 1: 10 / 3, 2: 13 / 3, 3: 10 / 3})
    assert shares.remove(0) == {1: 5.0, 2: 6.0, 3: 5.0}


def test_demands_that_just_fit_are_met():
    shares = Shares([10.0])
    for flow in range(10):
        assert shares.add(flow, (0,), 1.0, 1.0) == {flow: 1.0}
    assert shares.add(10, (0,), 1.0, 0.5) == pytest.approx(dict.fromkeys(range(10), 9.5 / 10) | {10: 0.5})
    assert shares.remove(10) == dict.fromkeys(range(10), 1.0)


def test_a_flow_without_links_gets_its_demand():
    shares = Shares([1.0])
    assert shares.add(7, (), 1.0, 5.0) == {7: 5.0}
    assert shares.remove(7) == {}


def test_a_link_without_capacity_stops_its_flows_and_no_others():
    shares = Shares([0.0, 4.0])
    shares.add(1, (0, 1), 1.0, 9.0)
    assert shares.add(2, (1,), 1.0, 9.0) == {2: 4.0}
    assert shares.rate(1) == 0.0


@pytest.mark.parametrize(
    ("weight", "demand"), [(1e-9, 1e9), (1e9, 1e9), (1.0, 1e-6), (1e9, 1e3), (1.0, 1e199), (1e-9, 1e199), (3.7, 0.1)]
)
def test_a_demand_that_is_met_is_given_to_the_last_bit_even_on_a_full_link(weight, demand):
    shares = Shares([4.0 * demand])
    shares.add(1, (0,), 1e-9, 1e200)
    assert shares.add(2, (0,), weight, demand)[2] == demand
    assert shares.rate(1) == pytest.approx(3.0 * demand)


# any comings and goings


@given(churns())
@settings(derandomize=True, deadline=None, max_examples=100)
def test_the_rates_are_those_of_all_flows_computed_at_once(churn):
    for shares, present, _, _ in churn.played():
        expected = all_at_once(churn.capacities, present)
        assert rates_of(shares, present) == pytest.approx(expected, rel=CLOSE, abs=0.0)


@given(churns(), st.randoms(use_true_random=False))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_the_rates_do_not_depend_on_what_was_there_before_nor_on_the_order(churn, rng):
    for shares, present, _, _ in churn.played():
        order = rng.sample(list(present), len(present))
        fresh = churn.fresh({flow: present[flow] for flow in order})
        assert rates_of(fresh, present) == rates_of(shares, present)


@given(churns())
@settings(derandomize=True, deadline=None, max_examples=100)
def test_what_changes_next_does_not_depend_on_what_was_there_before(churn):
    *_, (shares, present, _, _) = churn.played()
    fresh = churn.fresh(dict(sorted(present.items())))
    for flow in present:
        assert list(fresh.remove(flow).items()) == list(shares.remove(flow).items())


@given(churns())
@settings(derandomize=True, deadline=None, max_examples=100)
def test_a_change_names_the_flows_whose_rate_changed_in_order_and_the_new_one(churn):
    before = {}
    for shares, present, flow, changed in churn.played():
        after = rates_of(shares, present)
        moved = {other for other in present if after[other] != before.get(other)}
        assert list(changed) == sorted(moved | ({flow} & set(present)))
        assert changed == {other: after[other] for other in changed}
        before = after


@given(churns())
@settings(derandomize=True, deadline=None, max_examples=100)
def test_no_flow_has_more_than_its_demand_and_no_link_more_than_its_capacity(churn):
    for shares, present, _, _ in churn.played():
        for flow, (_, _, demand) in present.items():
            assert 0 <= shares.rate(flow) <= demand
        for link, capacity in enumerate(churn.capacities):
            load = math.fsum(shares.rate(flow) for flow, (links, _, _) in present.items() if link in links)
            assert load <= capacity * (1 + CLOSE)


@given(churns())
@settings(derandomize=True, deadline=None, max_examples=100)
def test_no_flow_can_grow_but_at_the_cost_of_one_with_no_higher_rate_for_its_weight(churn):
    """It has its demand, or a full link on which no other flow has more for its weight (Bertsekas and Gallager)."""
    for shares, present, _, _ in churn.played():
        rates = rates_of(shares, present)
        level = {flow: rates[flow] / weight for flow, (_, weight, _) in present.items()}
        on = [[flow for flow in present if link in present[flow][0]] for link in range(len(churn.capacities))]
        full = [
            math.fsum(rates[flow] for flow in on[link]) >= capacity * (1 - CLOSE)
            for link, capacity in enumerate(churn.capacities)
        ]
        for flow, (links, _, demand) in present.items():
            highest = [max(level[other] for other in on[link]) for link in links if full[link]]
            assert rates[flow] == demand or level[flow] >= min(highest) * (1 - CLOSE)


@given(churns())
@settings(derandomize=True, deadline=None, max_examples=100)
def test_a_flow_whose_links_have_room_for_all_demands_comes_and_goes_alone(churn):
    before = {}
    for _, present, flow, changed in churn.played():
        links, _, demand = present.get(flow) or before[flow]
        fits = all(
            math.fsum(demands_on(link, there)) <= churn.capacities[link]
            for link in links
            for there in (before, present)
        )
        if fits:
            assert changed == ({flow: demand} if flow in present else {})
        before = dict(present)


def hundreds(seed, links=200):
    """Flows of any and of round numbers by seed, about half of them held back."""
    rng = random.Random(seed)
    weights, demands = [1.0, 2.0, 4.0], [1e10, 2e10, 5e10, 1e11]
    number = (lambda low, high, _: rng.uniform(low, high)) if seed % 2 else (lambda _, __, some: rng.choice(some))
    flows = {
        flow: (tuple(rng.sample(range(links), rng.randint(2, 9))), number(1, 4, weights), number(1e10, 1e11, demands))
        for flow in range(300)
    }
    return rng, [number(1e11, 1e12, [2e11, 3e11, 5e11]) for _ in range(links)], flows


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_flow_that_goes_and_comes_back_leaves_hundreds_of_others_as_they_were_to_the_last_bit(seed):
    rng, capacities, present = hundreds(seed)
    shares = Churn(capacities, []).fresh(present)
    before = rates_of(shares, present)
    for flow in rng.choices(range(300), k=300):
        changed = shares.remove(flow)
        assert shares.add(flow, *present[flow]) == {other: before[other] for other in sorted({*changed, flow})}
        assert rates_of(shares, present) == before


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_hundreds_of_flows_that_came_and_went_have_the_rates_of_all_computed_at_once(seed):
    rng, capacities, flows = hundreds(seed)
    order = rng.sample(list(flows), len(flows))
    shares = Churn(capacities, []).fresh({flow: flows[flow] for flow in order})
    for flow in order[::3]:
        shares.remove(flow)
    present = {flow: flows[flow] for flow in flows if flow not in order[::3]}
    rates = rates_of(shares, present)
    assert rates == pytest.approx(all_at_once(capacities, present), rel=CLOSE, abs=0.0)
    assert rates == rates_of(Churn(capacities, []).fresh(present), present)
    assert 30 < sum(rates[flow] < demand for flow, (_, _, demand) in present.items()) < 170


# what is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, (0,), 1.0, 1.0), "found flow 1, which is there already"),
        ((2, (0, 2), 1.0, 1.0), r"found links \(0, 2\); allowed: different ones from 0 to 1"),
        ((2, (-1,), 1.0, 1.0), r"found links \(-1,\)"),
        ((2, (0, 0), 1.0, 1.0), r"found links \(0, 0\)"),
        ((2, (0,), 0.0, 1.0), "found a weight of 0.0"),
        ((2, (0,), -1.0, 1.0), "found a weight of -1.0"),
        ((2, (0,), math.inf, 1.0), "found a weight of inf"),
        ((2, (0,), math.nan, 1.0), "found a weight of nan"),
        ((2, (0,), 1.0, 0.0), "found a weight of 1.0 and a demand of 0.0"),
        ((2, (0,), 1.0, -1.0), "a demand of -1.0"),
        (
            (2, (0,), 1.0, math.inf),
            "a demand of inf; allowed: a weight from 1e-09 to 1000000000.0, a demand from 1e-09",
        ),
        ((2, (0,), 1.0, math.nan), "a demand of nan"),
    ],
)
def test_a_flow_that_makes_no_sense_is_refused_and_leaves_all_as_it_was(arguments, message):
    shares = Shares([8.0, 4.0])
    shares.add(1, (0, 1), 1.0, 3.0)
    with pytest.raises(ValueError, match=message):
        shares.add(*arguments)
    assert shares.rate(1) == 3.0
    assert shares.add(3, (0,), 1.0, 5.0) == {3: 5.0}


def test_a_flow_that_is_not_there_is_refused():
    shares = Shares([1.0])
    shares.add(1, (0,), 1.0, 1.0)
    shares.remove(1)
    for call in (shares.remove, shares.rate):
        with pytest.raises(ValueError, match="found flow 1, which is not there"):
            call(1)


@pytest.mark.parametrize("capacity", [-1.0, math.inf, math.nan])
def test_a_capacity_that_makes_no_sense_is_refused(capacity):
    with pytest.raises(ValueError, match=f"found a capacity of {capacity}; allowed: from 0 to"):
        Shares([1.0, capacity])
