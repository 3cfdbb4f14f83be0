"""Is this person in the training set? A person is attacked by all of their rows together."""

from __future__ import annotations

import numpy as np

from audit_pipeline.privacy.shadow_table import Mask, Scores, ShadowTable


def by_person(table: ShadowTable, rows: Mask) -> ShadowTable:
    """A table that has a person wherever the given one has rows.

    A person's φ under a model is the mean over their rows. How it scatters from model to model is then seen on the
    shadows themselves, however the rows of a person hang together; a sum of likelihood ratios of single rows would take
    them as independent.

    Args:
        table: of rows; people must be named.
        rows: [n] those that count: of one group.

    Raises:
        ValueError: nobody is named.
    """
    if table.people is None:
        raise ValueError("whose rows these are is not known")
    _, first, person = np.unique(table.people[rows], return_index=True, return_inverse=True)
    count = np.bincount(person)

    def mean(phi: Scores) -> Scores:
        return np.asarray(np.bincount(person, weights=phi[rows], minlength=len(count)) / count)

    return ShadowTable(
        shadows=np.array([mean(phi) for phi in table.shadows]).reshape(table.count, len(count)),
        inside=table.inside[:, rows][:, first],
        target=mean(table.target),
        member=table.member[rows][first],
        people=None,
        y=np.zeros(len(count), dtype=np.int64),
        groups={},
    )
