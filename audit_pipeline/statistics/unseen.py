"""What people who are not in the sample could mean for a limit that seems broken.

Where all people of a small sample are harmed alike, the sample shows no difference between people, and any estimate of
their variance calls the harm certain. But others may be unharmed. Were that so for a share 1 − q of everybody, all m of
the sample would still be of the harmed kind with probability q^m; so no claim that the mean exceeds its limit can be
surer than that. In general this is the empirical likelihood ratio of the limit (Owen 1988, Biometrika 75:237) when an
unharmed person may be added to the support.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from audit_pipeline.statistics.tally import Counts

_ROUNDING = 1e-12


def p_unseen(harmed: Counts, rows: Counts, limit: float) -> float:
    """The smallest p-value that "the mean harm is at most `limit`" may be given over these people.

    Args:
        harmed: [people] rows harmed less rows helped.
        rows: [people] rows, at least 1.
        limit: share of rows that may be harmed, from 0; at 0 unharmed people explain nothing, and there is no bound
            unless somebody was helped.

    Returns:
        The largest likelihood that any distribution with that mean gives the sample, relative to the sample's own; 1
        where the sample does not exceed the limit.
    """
    mean_rows = float(rows.mean())
    beyond = (harmed - limit * rows) / mean_rows
    if beyond.sum() <= _ROUNDING:
        return 1.0
    if limit == 0 and beyond.min() >= 0:
        return 0.0
    most = 1 / limit if limit > 0 else np.inf
    lowest = float(beyond.min())
    if lowest < 0:
        most = min(most, -(1 - _ROUNDING) / lowest)

    def slope(weight: float) -> float:
        return float((beyond / (1 + weight * beyond)).sum())

    weight = most if slope(most) >= 0 else float(brentq(slope, 0.0, most))
    return float(np.exp(-np.log1p(weight * beyond).sum()))
