"""What an attack makes of every shadow taken as if it were the target, and then of the target itself.

Of a shadow it is known whom it was trained on, so thresholds can be set on them without a look at the target.
"""

from __future__ import annotations

import numpy as np

from audit_pipeline.privacy.attacks.catalogue import BY_SHADOWS
from audit_pipeline.privacy.shadow_table import Mask, Scores, ShadowTable
from audit_pipeline.privacy_part import Attack


def pseudo_scores(table: ShadowTable, attack: Attack) -> Scores:
    """[K, n] score of every row under every shadow, by the other shadows."""
    scores = np.empty_like(table.shadows)
    for shadow in range(table.count):
        others = _others(table.inside, shadow)
        scores[shadow] = BY_SHADOWS[attack](table.shadows[shadow], table.shadows[others], table.inside[others], table.y)
    return scores


def target_scores(table: ShadowTable, attack: Attack) -> Scores:
    """[n] score of every row under the target, by as many shadows as every shadow is scored by.

    Those left out with the last shadow are left out here too: a threshold that was set on scores by fewer shadows does
    not hold for scores by more. Of four shadows, one set at 10 % let through 35 % of strangers.
    """
    others = _others(table.inside, table.count - 1)
    return BY_SHADOWS[attack](table.target, table.shadows[others], table.inside[others], table.y)


def _others(inside: Mask, shadow: int) -> Mask:
    """[K] the shadows by which one is attacked: not itself, nor the one trained on exactly the other rows.

    Without that one every row is left with as many shadows on either side. Otherwise the number of them would tell
    members from non-members, since each row is in half of all.
    """
    others = np.arange(len(inside)) != shadow
    partner = (inside == ~inside[shadow]).all(axis=1)
    return np.asarray(others & ~partner)
