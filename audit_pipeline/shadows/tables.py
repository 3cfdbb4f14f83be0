"""What shadows and target gave away, put together as attacks read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.privacy.shadow_table import ShadowTable
from audit_pipeline.privacy_part import Signal
from audit_pipeline.shadows.bench import Asked
from audit_pipeline.shadows.pool import Pool
from audit_pipeline.statistics.tally import person_codes

Tables = dict[Signal, ShadowTable]


def table_maker(
    pool: Pool, inside: NDArray[np.bool_], specs: Sequence[str]
) -> Callable[[Sequence[Asked], Asked], Tables]:
    """What turns answers into tables, all of the same rows in the same order.

    Args:
        pool: whose attacked rows were asked about.
        inside: [shadows, rows of the pool] who was trained on what.
        specs: the group specs that attacks are asked about.

    Returns:
        A function of every shadow's answers and the target's.
    """
    which = pool.attacked
    rows, member, held = pool.rows.take(which), pool.member[which], inside[:, which]
    people = person_codes(rows.subjects, len(rows))[0] if pool.named else None
    groups = {spec: rows.members(spec) for spec in specs}

    def tables(shadows: Sequence[Asked], target: Asked) -> Tables:
        return {
            signal: ShadowTable(
                np.stack([shadow.phi[signal] for shadow in shadows]), held, phi, member, people, rows.y, groups
            )
            for signal, phi in target.phi.items()
        }

    return tables
