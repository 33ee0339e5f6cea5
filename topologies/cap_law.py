"""What a chip's speed is under a power cap: the cap law and its inverse. Pure functions on plain numbers.

A chip that demands d = max(idle, demand * TDP) keeps its speed under any cap of at least d; the cap binds below that.
docs/cap-law.md says how far the law is from measurements. The lowest cap that a chip can be set to is not known here.
"""


def throttle(cap_w: float, idle_w: float, demand_w: float, exponent: float) -> float:
    """Speed under a cap over the speed without one [1]: ((cap - idle) / (demand - idle)) ** exponent.

    1 where the cap is at least the demand [W], 0 where it is below that and at most the idle draw [W].
    The exponent k [1] is from 0 to 1 (both not included): the first watts of a cap cost the least speed.
    Source: a power law of the dynamic power, fitted to MLPerf Inference v4.1 results of H200 under caps
    (mlcommons/inference_results_v4.1); compared with Zeus (You et al., NSDI 2023) in docs/cap-law.md.
    """
    if cap_w >= demand_w:
        return 1.0
    if cap_w <= idle_w:
        return 0.0
    return float(((cap_w - idle_w) / (demand_w - idle_w)) ** exponent)


def cap_for(speed: float, idle_w: float, demand_w: float, exponent: float) -> float:
    """The lowest cap [W] that leaves this share of the speed: idle + (demand - idle) * speed ** (1 / exponent).

    speed [1] from 0 to 1; idle and demand in [W]. The inverse of throttle, with the same source.
    Raises ValueError for a speed outside 0 to 1.
    """
    if not 0.0 <= speed <= 1.0:
        raise ValueError(f"found a speed of {speed}; allowed: from 0 to 1")
    return float(idle_w + max(0.0, demand_w - idle_w) * speed ** (1.0 / exponent))
