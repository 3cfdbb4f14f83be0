"""Rows that are alike enough to share a prior: of one class, and about equally easy."""

from __future__ import annotations

import numpy as np

from audit_pipeline.privacy.shadow_table import Codes, Scores

_FEWEST = 100
_MOST_LEVELS = 12


def strata(level: Scores, y: Codes) -> Codes:
    """[n] number of each row's stratum, from 0 on: quantiles of the level within classes.

    A stratum has at least 100 rows, where there are so many; classes of fewer are put together.

    Args:
        level: [n] how easy a row is: its mean φ.
        y: [n] classes.
    """
    _, label, rows = np.unique(y, return_inverse=True, return_counts=True)
    label = np.where(rows[label] < _FEWEST, len(rows), label)
    codes = np.zeros(len(level), dtype=np.int64)
    used = 0
    for one in np.unique(label):
        members = np.flatnonzero(label == one)
        levels = min(max(len(members) // _FEWEST, 1), _MOST_LEVELS)
        rank = np.argsort(np.argsort(level[members], kind="stable"), kind="stable")
        codes[members] = used + rank * levels // len(members)
        used += levels
    return codes


def averages(values: Scores, codes: Codes) -> Scores:
    """[strata] mean of [n] values within each stratum."""
    return np.asarray(np.bincount(codes, weights=values) / np.bincount(codes))
