"""The fewest leaf groups of a fabric, and among those the fewest pods, that hold the domains a gang needs. Pure."""

from collections.abc import Sequence


def fewest(groups: Sequence[int], pods: Sequence[int], able: int, count: int, last: int = 0) -> list[int]:
    """The groups to take `count` domains from, in that order, as bits; none where they do not hold as many.

    able: the domains that will do, as bits; last: those that will do for one more part, the able ones among them, 0
    where there is no such part. The number of groups is the least possible. Among as few, all come from one pod if one
    has them, the fullest of those; else pods are added by their able domains, most first, which need not be the fewest.
    """
    best = _fewest(groups, able, count, last)
    if len(best) < 2 or len(pods) < 2:
        return best
    by_pod = sorted([((pod & able).bit_count(), at) for at, pod in enumerate(pods)])
    for _, at in by_pod:
        found = _fewest([group for group in groups if group & pods[at]], able, count, last)
        if len(found) == len(best):
            return found
    within = 0
    for _, at in sorted(by_pod, key=lambda row: (-row[0], row[1])):
        within |= pods[at]
        found = _fewest([group for group in groups if group & within], able, count, last)
        if len(found) == len(best):
            return found
    return best


def _fewest(groups: Sequence[int], able: int, count: int, last: int) -> list[int]:
    """The groups with the most able domains first, until one holds the rest: the fullest that does, to end with.

    If the groups with the most do not hold enough, no others do. So as soon as some last group is enough, fewer groups
    are not. The last part has its domain where any group has one for it that is not able, or has one to spare.
    """
    only_last = last & ~able
    rows = sorted([(-(group & able).bit_count(), at) for at, group in enumerate(groups)])
    found: list[int] = []
    settled = not last
    for done, (most, at) in enumerate(rows):
        if -most >= count:
            ends = [
                (-less, end)
                for less, end in rows[done:]
                if -less > count or (-less == count and (settled or groups[end] & only_last))
            ]
            if ends:
                return [*found, groups[min(ends)[1]]]
        found.append(groups[at])
        count += most
        settled = settled or bool(groups[at] & only_last)
    return []
