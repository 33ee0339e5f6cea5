"""What a chip's speed is under a power cap. Pure functions on plain numbers.

A chip that demands d = max(idle, demand * TDP) keeps its speed under any cap of at least d; the cap binds below that.
docs/cap-law.md says how far the law is from measurements. The lowest cap that a chip can be set to is not known here.
"""


def speed_at(fraction: float, exponent: float) -> float:
    """Speed at a fraction of the range between idle and full demand, over the speed at full demand [1].

    fraction ** exponent, both from 0 to 1: the first watts of a cap cost the least speed.
    Source: a power law of the dynamic power, fitted to MLPerf Inference v4.1 results of H200 under caps
    (mlcommons/inference_results_v4.1); compared with Zeus (You et al., NSDI 2023) in docs/cap-law.md.
    """
    return float(fraction**exponent)


def throttle(cap_w: float, idle_w: float, demand_w: float, exponent: float) -> float:
    """Speed under a cap [W] over the speed without one [1]: ((cap - idle) / (demand - idle)) ** exponent.

    1 where the cap is at least the demand [W], 0 where it is below that and at most the idle draw [W].
    """
    if cap_w >= demand_w:
        return 1.0
    return speed_at((cap_w - idle_w) / (demand_w - idle_w), exponent) if cap_w > idle_w else 0.0
