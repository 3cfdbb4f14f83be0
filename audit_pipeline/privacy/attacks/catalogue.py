"""The attacks of whoever holds shadow models, by the names that evidence gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from audit_pipeline.privacy.attacks import lira, rmia, student_t
from audit_pipeline.privacy.shadow_table import Codes, Mask, Scores
from audit_pipeline.privacy_part import Attack


class Score(Protocol):
    """How an attack orders rows."""

    def __call__(self, phi: Scores, shadows: Scores, inside: Mask, y: Codes) -> Scores:
        """[n] the higher, the more likely a member.

        Args:
            phi: [n] of the model attacked.
            shadows: [K', n] of the attacker's models.
            inside: [K', n] whether the model was trained on the row.
            y: [n] classes.
        """


BY_SHADOWS: Mapping[Attack, Score] = {
    "student_t": student_t.score,
    "lira_online": lira.online,
    "lira_offline": lira.offline,
    "rmia": rmia.score,
}
"""The strongest at few shadows first."""

SHARED: Mapping[Attack, Attack] = {"student_t_shared": "student_t"}
"""Attacks that share the evidence of a row's score within its person (see `shared`)."""
