"""The exact test of McNemar (1947), Psychometrika 12:153: given the rows that changed, each was as likely to get worse.

It needs independent rows. Under "no difference" the rows that got worse are binomial among all that changed, with
probability one half, whatever the share of rows that change.
"""

from __future__ import annotations

from scipy.special import betainc


def p_worse(worse: int, better: int) -> float:
    """One-sided p-value of "worse is at most as likely as better": P(X ≥ worse), X ~ Bin(worse + better, ½)."""
    if worse == 0:
        return 1.0
    return float(betainc(worse, better + 1, 0.5))


def p_changed(worse: int, better: int) -> float:
    """Two-sided p-value of "worse and better are equally likely": twice the smaller tail, at most 1."""
    return min(2 * p_worse(max(worse, better), min(worse, better)), 1.0)
