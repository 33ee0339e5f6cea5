"""Quotas with borrowing and lending: by hand, and against the recursion that Kueue computes them by."""

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.quotas import NO_LIMIT, Quota, Quotas
from topologies.plant import Shape


def member(nominal, borrow=None, lend=None, cohort=0, name="t"):
    """A tenant of a cohort with a quota in one pool."""
    own = 0 if lend is None else max(0, nominal - lend)
    return Quota(name, cohort, (nominal,), (NO_LIMIT if borrow is None else nominal + borrow,), (own,))


def rooms(*rules, used):
    quotas = Quotas(rules)
    for number, chips in enumerate(used):
        quotas.take(number, 0, chips)
    return [quotas.room(number, 0) for number in range(len(rules))]


def test_in_an_idle_cohort_everybody_may_use_all_that_is_lent():
    assert rooms(member(64), member(32), used=(0, 0)) == [96, 96]


def test_what_a_member_uses_is_gone_for_all():
    assert rooms(member(64), member(32), used=(70, 0)) == [26, 26]


def test_the_borrowing_limit_holds_however_idle_the_cohort_is():
    assert rooms(member(64, borrow=8), member(32), used=(0, 0)) == [72, 96]
    assert rooms(member(64, borrow=8), member(32), used=(72, 0))[0] == 0


def test_the_lending_limit_keeps_the_rest_of_a_quota_for_its_tenant():
    """The first lends 16 of its 64: the second may use its own 32 and these; 48 stay the first one's."""
    assert rooms(member(64, lend=16), member(32), used=(0, 0)) == [96, 48]
    assert rooms(member(64, lend=16), member(32), used=(0, 48)) == [48, 0]
    assert rooms(member(64, lend=16), member(32), used=(48, 48)) == [0, 0]
    # up to its own part it uses nothing that others could have; beyond it does
    assert rooms(member(64, lend=16), member(32), used=(48, 0)) == [48, 48]
    assert rooms(member(64, lend=16), member(32), used=(60, 0)) == [36, 36]


def test_what_a_member_never_lends_is_there_however_much_others_hold():
    """While gangs stop for another one, both count: more than the cohort has."""
    assert rooms(member(4, lend=2), member(4), used=(0, 8)) == [2, 0]


def test_nothing_lent_and_nothing_borrowed_is_a_quota_alone():
    assert rooms(member(64, borrow=0, lend=0), member(32, borrow=0, lend=0), used=(60, 0)) == [4, 32]


def test_cohorts_share_nothing_with_each_other():
    assert rooms(member(64), member(32, cohort=1), used=(0, 30)) == [64, 2]


def test_pools_share_nothing_with_each_other():
    quotas = Quotas([Quota("t", 0, (8, 0), (8, 0), (0, 0)), Quota("u", 0, (4, 6), (NO_LIMIT, NO_LIMIT), (0, 0))])
    assert [quotas.room(0, pool) for pool in (0, 1)] == [8, 0]
    assert [quotas.room(1, pool) for pool in (0, 1)] == [12, 6]


def test_a_gang_that_ends_gives_its_quota_back_and_a_gang_without_one_needs_none():
    quotas = Quotas([member(8)])
    theirs, free = Shape((0,), 6, (1.0,), (0,), quota=0), Shape((0,), 100, (1.0,), (0,))
    assert quotas.allows(theirs, 0) and quotas.allows(free, 0)
    quotas.start(1, theirs, 0)
    quotas.start(2, free, 0)
    assert not quotas.allows(theirs, 0) and quotas.allows(free, 0)
    quotas.end(2, 0, 100)
    quotas.end(1, 0, 6)
    assert quotas.room(0, 0) == 8 and quotas.holders == {}


def test_a_copy_is_changed_alone():
    quotas = Quotas([member(8), member(8)])
    copy = quotas.copy()
    copy.take(0, 0, 12)
    assert (quotas.room(0, 0), copy.room(0, 0)) == (16, 4)


def kueue_available(rules, used, number):
    """Kueue's resource_node.go, available(), for cohorts without quotas of their own and one pool."""
    rule = rules[number]
    members = [at for at, other in enumerate(rules) if other.cohort == rule.cohort]
    subtree = sum(rules[at].nominal[0] - rules[at].own[0] for at in members)
    cohort_usage = sum(max(0, used[at] - rules[at].own[0]) for at in members)
    parent = subtree - cohort_usage
    local = max(0, rule.own[0] - used[number])
    if rule.most[0] < NO_LIMIT:
        stored = rule.nominal[0] - rule.own[0]
        used_in_parent = max(0, used[number] - rule.own[0])
        parent = min(parent, stored - used_in_parent + rule.most[0] - rule.nominal[0])
    return local + parent


LIMIT = st.none() | st.integers(0, 12)
MEMBER = st.builds(member, st.integers(0, 12), borrow=LIMIT, lend=LIMIT, cohort=st.integers(0, 1))
GANGS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 8)), max_size=20)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(rules=st.lists(MEMBER, min_size=2, max_size=4), gangs=GANGS)
def test_what_is_left_is_what_kueue_computes_and_starts_only_take_away(rules, gangs):
    rules = [Quota(str(at), at, *(r.nominal, r.nominal, (0,))) if at > 1 else r for at, r in enumerate(rules)]
    quotas, used = Quotas(rules), [0] * len(rules)
    before = [quotas.room(number, 0) for number in range(len(rules))]
    for number, chips in gangs:
        if number >= len(rules) or chips > quotas.room(number, 0):
            continue
        quotas.take(number, 0, chips)
        used[number] += chips
        after = [quotas.room(at, 0) for at in range(len(rules))]
        assert after == [kueue_available(rules, used, at) for at in range(len(rules))]
        assert min(after) >= 0
        assert all(late <= soon for late, soon in zip(after, before, strict=True))
        before = after
