"""How surely a limit is broken: the p-value behind FAIL.

It inverts the interval, so that the two cannot contradict each other, but for exceptions that make FAIL harder, never
easier, where the tail of an interval says more than the sample can:

- independent rows: never below the exact binomial p-value of a share, and of McNemar for a change;
- people: never below what people who are not in the sample could explain (`statistics.unseen`).
"""

from __future__ import annotations

from scipy.special import betainc

from audit_pipeline.evaluate.gap import Gap, Ratio
from audit_pipeline.evaluate.named import Worst
from audit_pipeline.statistics.estimate import Estimate, p_above, p_below
from audit_pipeline.statistics.paired_share import PairedShare, p_worse_than
from audit_pipeline.statistics.scaled import Scaled
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.unseen import p_unseen


def p_broken(estimate: Estimate, limit: float, *, at_most: bool) -> float:
    """One-sided p-value of "the limit is kept".

    Args:
        estimate: of the metric, of its worsening, or of what lies between groups.
        limit: of the policy.
        at_most: whether values above the limit break it, rather than those below.
    """
    if isinstance(estimate, Scaled):
        return p_broken(estimate.estimate, limit / estimate.factor, at_most=at_most)
    if isinstance(estimate, Gap | Ratio | Worst):
        return estimate.p_broken(limit)
    if isinstance(estimate, PairedShare):
        p = p_worse_than(estimate, limit)
        tally = estimate.tally
        return max(p, p_unseen(tally.worse - tally.better, tally.rows, limit)) if tally.named and p < 1 else p
    p = p_above(estimate, limit) if at_most else p_below(estimate, limit)
    return max(p, _least(estimate, limit, at_most)) if isinstance(estimate, Share) and p < 1 else p


def _least(share: Share, limit: float, at_most: bool) -> float:
    tally = share.tally
    harmed, allowed = (tally.hits, limit) if at_most else (tally.rows - tally.hits, 1 - limit)
    if tally.named:
        return p_unseen(harmed, tally.rows, allowed)
    total = int(harmed.sum())
    return float(betainc(total, tally.total - total + 1, allowed)) if total else 1.0
