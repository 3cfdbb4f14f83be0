"""Which recipes a search tries, and in which order: the same for the same settings, seed and group columns.

The first is plain int8, which every other has to be smaller than. The others come in a fixed order of kinds, and each
kind spreads its ratios over the whole axis by van der Corput's sequence, so that a few of them already cover it. The
sequences are shifted (Cranley & Patterson 1976) by an amount drawn from the seed, and by the golden ratio from one kind
to the next, so that no two kinds try the same ratios.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from audit_pipeline.policy.recipe import (
    DistillStep,
    FineTuneStep,
    PruneNeuronsStep,
    QuantizeStep,
    Recipe,
    RecipeStep,
    Search,
)
from audit_pipeline.policy.steps import Distill, FineTune, PruneNeurons, Quantize, Training
from audit_pipeline.policy.terms import OVERALL

RATIOS = (0.3, 0.75)
"""From which share of the filters and units to which is taken away: below, little is won, above, little is left."""


@dataclass(frozen=True)
class Kind:
    """A way to make a model smaller, but for how much smaller."""

    importance: Literal["l1", "worst_group"] | None
    """By what filters are kept; None: the source is not pruned, a narrower student is trained from scratch."""
    recovery: Literal["distill", "fine_tune"] = "distill"
    aware: bool = False
    """Whether the last training has int8's rounding in the loop."""


_MAIN = Kind("worst_group")
_ORDER = (
    _MAIN,
    _MAIN,
    _MAIN,
    Kind("l1"),
    _MAIN,
    Kind("worst_group", aware=True),
    Kind(None),
    Kind("worst_group", "fine_tune"),
)
"""Half of the trials go to what keeps groups best as far as is known; each other way has its share."""

_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Proposal:
    """One recipe of the search, for any number of epochs."""

    number: int
    """In the order of the proposals, from 0."""
    kind: Kind | None
    """None: plain int8, without any training."""
    ratio: float
    """Share of the filters and units that goes."""
    groups: str
    """Spec of the groups whose worst is minded."""
    lift: int = 0
    """Operators that are lifted to int16x8."""
    wide: bool = False
    """Whether all operators are."""

    @property
    def label(self) -> str:
        """The recipe in a few words."""
        return ", ".join(self._words())

    def recipe(self, epochs: int) -> Recipe:
        """The recipe with this many epochs for each step that trains."""
        aware = Training(epochs=epochs, balance=self.groups) if self.kind is not None and self.kind.aware else None
        return (*self._shaping(), *self._recovery(epochs), self._quantize(aware))

    def outline(self) -> Recipe:
        """The least that gives a model of the recipe's size: no step trains, but a student that has to be made."""
        made = () if self.kind is None or self.kind.importance else self._recovery(1)
        return (*self._shaping(), *made, self._quantize(None))

    def lifted(self, operators: int) -> Proposal:
        """The same with this many operators lifted to int16x8."""
        return replace(self, lift=operators)

    def widened(self) -> Proposal:
        """The same with all operators lifted: the most that lifting can do."""
        return replace(self, wide=True)

    def _words(self) -> list[str]:
        words = ["int8 as it is" if self.kind is None else self._shape_in_words(self.kind)]
        if self.kind is not None:
            words.append("distilled" if self.kind.recovery == "distill" else "fine-tuned")
            words += ["int8-aware"] * (self.kind.aware and not self.lift and not self.wide)
        if self.lift:
            words.append(f"{self.lift} operator{'s' if self.lift > 1 else ''} lifted")
        return words + ["int16x8"] * self.wide

    def _shape_in_words(self, kind: Kind) -> str:
        if kind.importance is None:
            return f"student {100 * (1 - self.ratio):.0f} % as wide"
        return f"neurons −{100 * self.ratio:.0f} % by {'worst group' if kind.importance == 'worst_group' else 'L1'}"

    def _shaping(self) -> tuple[RecipeStep, ...]:
        if self.kind is None or self.kind.importance is None:
            return ()
        settings = PruneNeurons(ratio=self.ratio, importance=self.kind.importance, groups=self.groups)
        return (PruneNeuronsStep(prune_neurons=settings),)

    def _recovery(self, epochs: int) -> tuple[RecipeStep, ...]:
        if self.kind is None:
            return ()
        if self.kind.recovery == "fine_tune":
            return (FineTuneStep(fine_tune=FineTune(epochs=epochs, balance=self.groups)),)
        width = None if self.kind.importance else round(1 - self.ratio, 3)
        return (DistillStep(distill=Distill(epochs=epochs, width=width)),)

    def _quantize(self, aware: Training | None) -> QuantizeStep:
        if self.wide:
            return QuantizeStep(quantize=Quantize(scheme="int16x8"))
        if self.lift:
            return QuantizeStep(quantize=Quantize(scheme="mixed", lift=self.lift, groups=self.groups))
        return QuantizeStep(quantize=Quantize(aware=aware))


def propose(settings: Search, columns: Sequence[str], seed: int) -> tuple[Proposal, ...]:
    """Every recipe of a search, plain int8 first.

    Args:
        settings: how many, and whose worst is minded.
        columns: the data set's group columns; all of them together where the settings name no groups.
        seed: of the shift of the ratios.
    """
    groups = settings.groups or "*".join(sorted(columns)) or OVERALL
    shift = np.random.default_rng(seed).random()
    low, high = RATIOS
    proposals = [Proposal(0, None, 0.0, groups)]
    turns: Counter[Kind] = Counter()
    for number in range(1, settings.trials):
        kind = _ORDER[(number - 1) % len(_ORDER)]
        turns[kind] += 1
        place = (_van_der_corput(turns[kind]) + shift + _GOLDEN * _ORDER.index(kind)) % 1
        proposals.append(Proposal(number, kind, round(low + (high - low) * place, 3), groups))
    return tuple(proposals)


def _van_der_corput(number: int) -> float:
    """The number's binary digits behind the point, in reverse: 1/2, 1/4, 3/4 and so on."""
    value, step = 0.0, 0.5
    while number:
        value += step * (number & 1)
        number, step = number >> 1, step / 2
    return value
