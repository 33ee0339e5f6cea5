"""Preferred levels: how many of the gangs whose class prefers to sit in one unit do."""

import numpy as np

from outputs.jobs import Bools, Jobs
from outputs.record import Record


def preference_metrics(record: Record, jobs: Jobs, counted: Bools) -> dict[str, float]:
    """The share of counted gangs that started in one unit of the level that their class prefers, by their last seat.

    Nothing where no such gang has started.
    """
    if not record.preferred_met:
        return {}
    met = [record.preferred_met[row] for row in jobs.row[counted].tolist() if row in record.preferred_met]
    return {"preferred_level_met_fraction": float(np.mean(met))} if met else {}
