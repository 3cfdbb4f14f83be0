"""Metrics that are a share of rows."""

from __future__ import annotations

import numpy as np

from audit_pipeline.evaluate.answers import Answer, Answers, Moved
from audit_pipeline.evaluate.by_person import ByPerson, Mask
from audit_pipeline.evaluate.confusion import Quotient
from audit_pipeline.evaluate.factorise import Codes
from audit_pipeline.evaluate.metrics import Metric
from audit_pipeline.evaluate.smooth import smooth_changes
from audit_pipeline.statistics.paired_share import PairedShare
from audit_pipeline.statistics.scaled import Scaled
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import PairedTally, Tally


def share_answers(by_person: ByPerson, metric: Metric, share: Quotient) -> list[Answers]:
    """[groups] a share of rows before and after, and how much worse it became.

    Where both models are counted among the same rows, what changed is paired row by row. Precision is not: each model
    chooses its own rows, and the change is that of two dependent ratios.
    """
    cells = by_person.cells
    hit, among = _masks(share, cells.true, cells.after)
    after = [_share(metric, tally) for tally in by_person.tallies(hit, among)]
    if cells.before is None:
        return [Answers(metric.key, None, each, None) for each in after]
    hit_before, among_before = _masks(share, cells.true, cells.before)
    before = [_share(metric, tally) for tally in by_person.tallies(hit_before, among_before)]
    if np.array_equal(among_before, among):
        changes = _paired(by_person, metric, hit_before, hit, among)
    else:
        changes = smooth_changes(by_person, metric)
    return [Answers(metric.key, old, new, *change) for old, new, change in zip(before, after, changes, strict=True)]


def _paired(
    by_person: ByPerson, metric: Metric, before: Mask, after: Mask, among: Mask
) -> list[tuple[Answer, Moved | None]]:
    first, second = (before, after) if metric.key.higher_is_better else (after, before)
    changes: list[tuple[Answer, Moved | None]] = []
    for person, (worse, better, rows) in by_person.sums(first & ~second & among, second & ~first & among, among):
        seen = rows > 0
        tally = PairedTally(worse[seen], better[seen], rows[seen], by_person.named)
        moved = Moved(person, (worse - better).astype(np.float64), (int(worse.sum()), int(better.sum())))
        if tally.total:
            change = PairedShare(tally)
            changes.append((change if metric.factor == 1 else Scaled(change, metric.factor), moved))
        else:
            changes.append((metric.not_measurable(tally.subjects), moved))
    return changes


def _share(metric: Metric, tally: Tally) -> Answer:
    if not tally.total:
        return metric.not_measurable(tally.subjects)
    return Share(tally) if metric.factor == 1 else Scaled(Share(tally), metric.factor)


def _masks(share: Quotient, true: Codes, predicted: Codes) -> tuple[Mask, Mask]:
    """[cells] whether each was hit, and whether it is among those counted."""
    return share.hits[true, predicted] > 0, share.among[true, predicted] > 0
