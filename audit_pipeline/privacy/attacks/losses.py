"""The weak attacker's scores: how well the model does on a row, alone or against other rows of its class."""

from __future__ import annotations

import numpy as np

from audit_pipeline.privacy.shadow_table import Codes, Scores


def by_class(phi: Scores, y: Codes, known: Scores, known_y: Codes) -> Scores:
    """[n] share of known non-members of a row's class on which the model does worse, ties counting half.

    One threshold on it is one threshold a class on φ (Song & Mittal 2021, USENIX Security, section 3.2), so that rows
    of an easy class are not taken for members because they are easy. A class of which no non-member is known is judged
    by all of them.

    Args:
        phi: [n] how well the model does on the rows attacked.
        y: [n] their classes.
        known: [m] the same of rows known not to be members; at least one.
        known_y: [m] their classes.
    """
    scores = np.empty(len(phi))
    for label in np.unique(y):
        same = known[known_y == label]
        ordered = np.sort(same if len(same) else known)
        rows = y == label
        below, up_to = (np.searchsorted(ordered, phi[rows], side) for side in ("left", "right"))
        scores[rows] = (below + up_to) / (2 * len(ordered))
    return scores
