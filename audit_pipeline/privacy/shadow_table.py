"""What an attacker with shadow models holds: one number of every attacked row from every model, and who trained on it.

The numbers are φ of `signals.py`: the larger, the surer a model is of the row's true label. Rows are members of the
target (its training split) and non-members (its evaluation split); each shadow was trained on a random half of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.measurement import GroupKey

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class ShadowTable:
    """One signal of one kind of model, on n rows and from K shadows and the target."""

    shadows: Scores
    """[K, n] φ of every row under every shadow."""
    inside: Mask
    """[K, n] whether the shadow was trained on the row; every row is in K/2 of them, whole people together."""
    target: Scores
    """[n] φ of every row under the model that ships (or, of a float table, under the source)."""
    member: Mask
    """[n] whether the target was trained on the row."""
    people: Codes | None
    """[n] number of the row's person from 0, over members and non-members together; None where nobody is named."""
    y: Codes
    """[n] index of the row's class; zeros where rows have none."""
    groups: Mapping[str, Sequence[tuple[GroupKey, Mask]]]
    """By group spec: its groups, each with the [n] rows in it."""

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together; whoever builds a table sees to it, so this is no input error."""
        rows = (len(self.target),)
        shapes = [array.shape for array in (self.member, self.y, *(() if self.people is None else (self.people,)))]
        masks = [mask.shape for groups in self.groups.values() for _, mask in groups]
        if any(shape != rows for shape in (*shapes, *masks)):
            raise ValueError(f"the target has {rows[0]} rows, and others {sorted({*shapes, *masks})}")
        if self.shadows.shape != self.inside.shape or self.shadows.shape[1:] != rows:
            raise ValueError(f"shadows {self.shadows.shape}, inside {self.inside.shape}, rows {rows}")

    @property
    def count(self) -> int:
        """Shadow models, K."""
        return len(self.shadows)

    def groups_of(self, specs: Sequence[str]) -> Iterator[tuple[GroupKey, Mask]]:
        """The groups of several specs, each once and in the order of the specs."""
        seen: set[GroupKey] = set()
        for spec in specs:
            for group, mask in self.groups[spec]:
                if group not in seen:
                    seen.add(group)
                    yield group, mask
