"""What an attacker makes of several versions of one model: the float and the compressed one, or two releases.

What one version hides by rounding another may show, and both were trained on the same people (CompLeak: Li et al. 2026,
USENIX Security, arXiv:2507.16872, with the original and compressed models in the attacker's hands). Their scores are
weighed by a logistic regression, for which each shadow has all versions too: it is fitted on shadows only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audit_pipeline.privacy.logistic import fit_logistic
from audit_pipeline.privacy.shadow_table import Mask, Scores


def combine(pseudo: Sequence[Scores], target: Sequence[Scores], inside: Mask) -> tuple[Scores, Scores]:
    """[K, n] and [n] log-odds of membership by the scores of all versions together.

    Args:
        pseudo: of each version, [K, n] scores of shadows taken as targets.
        target: of each version, [n] scores of the target.
        inside: [K, n] whether the shadow was trained on the row.
    """
    known = np.stack([scores.ravel() for scores in pseudo], axis=1)
    fitted = fit_logistic(known, inside.ravel().astype(np.int64), 2)

    def log_odds(features: Scores) -> Scores:
        scaled = (features - fitted.centre) / fitted.scale
        weights = fitted.weights[:, 1] - fitted.weights[:, 0]
        return np.asarray(scaled @ weights[:-1] + weights[-1])

    return log_odds(known).reshape(inside.shape), log_odds(np.stack(target, axis=1))
