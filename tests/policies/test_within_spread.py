"""Gangs that prefer one node or domain and are spread over several where none has a place."""

import pytest

from policies.backfill import greedy, none
from policies.conservative import conservative
from policies.easy import easy
from policies.registry import PLACEMENTS
from topologies.headroom import Headroom
from topologies.levels import Within
from topologies.limits import Limit

LEAVES = {"groups": (0b0011, 0b1100)}
BACKFILLS = [none, greedy, easy, conservative]


def pdus(*spare_nw):
    return tuple(Limit("PDU", spare, (mask,)) for spare, mask in zip(spare_nw, LEAVES["groups"], strict=True))


SPAN = [name for name, placer in PLACEMENTS.items() if placer.spans]
PREFER = Within(preferred="domain")


def nearly_full(site, name, node_chips=0):
    """Two racks of 72 with 8 and 10 chips left, in which no gang of 16 has equal parts but as 8 and 8."""
    state = site((2, 72), placer=PLACEMENTS[name], node_chips=node_chips)
    state.runs(64, 100, domain=0)
    state.runs(62, 100, domain=1)
    return state


@pytest.mark.parametrize("level", ["node", "domain"])
@pytest.mark.parametrize("backfill", BACKFILLS)
@pytest.mark.parametrize("name", [*SPAN, "spread"])
def test_a_gang_that_prefers_one_unit_takes_what_two_domains_have_left(name, backfill, level, site):
    state = nearly_full(site, name, node_chips=4 if level == "node" else 0)
    state.waits(16, 10, within=Within(preferred=level))
    ((_, placement),) = state.places(backfill).values()
    assert [sum(taken for _, taken in placement), len(placement)] == [16, 2]
    state = nearly_full(site, name)
    state.waits(17, 10, within=PREFER)
    assert state.starts(backfill) == [0]  # in no equal parts


@pytest.mark.parametrize("name", sorted(set(SPAN) - {"topology"}))
def test_without_a_word_of_topology_a_gang_waits_for_one_domain(name, site):
    state = nearly_full(site, name)
    state.waits(16, 10)
    assert state.starts(greedy) == [] and state.reasons(greedy) == {16: "fragmented"}


@pytest.mark.parametrize("name", SPAN)
def test_it_stays_in_one_domain_where_that_has_a_place_and_in_one_leaf_where_that_has(name, site):
    state = site((4, 8), placer=PLACEMENTS[name], **LEAVES)
    for domain, chips in enumerate((5, 2, 4, 4)):
        state.runs(chips, 100, domain=domain)
    state.waits(6, 10, within=PREFER)
    assert state.places(greedy) == {0: (0, ((1, 6),))}
    state = site((4, 8), placer=PLACEMENTS[name], **LEAVES)
    for domain, chips in enumerate((4, 7, 4, 5)):
        state.runs(chips, 100, domain=domain)
    state.waits(7, 10, within=PREFER)  # 4 and 4 of the first and the third are more, but under two leaves
    assert state.places(greedy) == {0: (0, ((2, 4), (3, 3)))}


def test_a_required_leaf_is_not_left_for_a_preferred_domain(site):
    state = site((4, 8), **LEAVES)
    for domain, chips in enumerate((4, 6, 4, 6)):
        state.runs(chips, 100, domain=domain)
    state.waits(7, 10, within=Within("leaf", "domain"))
    state.waits(6, 10, within=Within("leaf", "domain"))
    assert state.starts(greedy) == [1]
    state.waits(7, 10, within=Within("domain", "node"))
    assert state.starts(greedy) == [1]


def test_power_below_the_feed_is_looked_at_too(site):
    state = site((4, 8), draws=(1,), **LEAVES)
    for domain, chips in enumerate((4, 4, 4, 7)):
        state.runs(chips, 100, domain=domain)
    state.headroom = Headroom(None, pdus(3, 16))
    state.waits(8, 10, within=PREFER)
    assert state.places(greedy) == {0: (0, ((0, 3), (2, 4), (3, 1)))}
    state.headroom = Headroom(None, pdus(2, 16))
    assert state.starts(greedy) == []


def test_what_is_promised_to_it_is_when_the_chips_are_there_and_not_a_domain(site):
    state = site((2, 8))
    state.runs(4, 300, domain=0)
    state.runs(2, 50, domain=0)
    state.runs(5, 300, domain=1)
    head = state.waits(7, 20, within=PREFER)
    state.waits(1, 20, submit_s=1)  # it asks what the head is promised
    assert state.decide(easy).memo.reservation.shadow_s == 50
    assert state.decide(conservative).plan.promises[head].start_s == 50
    state.goes_on(50)
    assert state.starts(easy) == state.starts(conservative) == [head]
