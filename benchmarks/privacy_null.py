"""How often a policy refuses a model that gives nobody away, and one that does.

Without a leak, members and non-members are drawn alike, so every FAIL is false. The limit is the false-positive rate
itself, the least that a policy can allow and the hardest place: every true value lies on it. Both attackers are asked,
of three groups; the one with shadow models makes every attack on both signals. In two of three blocks of runs people's
rows go up and down together. The target is surer or less sure of everybody than the shadows are, as a model trained on
other people is.

Runs of a block share their shadows, as thresholds depend on nothing else; target and signals are drawn anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from audit_pipeline.data.population import Split
from audit_pipeline.measurement import Outcome
from audit_pipeline.policy.privacy import MembershipRule
from audit_pipeline.predictions import Predictions
from audit_pipeline.privacy.attacks.catalogue import SHARED
from audit_pipeline.privacy.attacks.shared import share, within_people
from audit_pipeline.privacy.judge import judge
from audit_pipeline.privacy.membership import membership
from audit_pipeline.privacy.membership_by_shadows import Attacker, parts_of
from audit_pipeline.privacy.pseudo_targets import pseudo_scores, target_scores
from audit_pipeline.privacy.scored import Scored, attacks_on, scored
from audit_pipeline.privacy.shadow_table import ShadowTable
from audit_pipeline.privacy_part import Attack, MembershipPart, PrivacyPart, Signal
from benchmarks.privacy_worlds import Nature, nature
from benchmarks.table import Row, conclude

_RUNS = 1000
_BLOCKS = 20
"""Parts of the runs, each with its own random numbers, so that the figures do not depend on the number of processes."""
_PROCESSES = 2
_SIZES = (50, 200, 1000)
_SHADOWS = 16
_ROWS_A_PERSON = (None, 5, 25)
"""Of the blocks by turns; None: nobody is named, and rows are independent."""
_FPR, _LEVEL = 0.1, 0.95
_DRIFT = 0.3
_SUREST = 7.0
"""Mean φ at which most int8 outputs saturate."""
_PLANTED_IN, _PLANTED_BLOCKS, _LEAK = 200, 2, 1.0
"""Members, blocks of runs, and mean shift of a row that was trained on, in its standard deviations."""
_SPECS = ("overall", "sex")
_RULES = tuple(
    MembershipRule(attack="membership", attacker=attacker, fpr=_FPR, max_tpr=_FPR, groups=_SPECS)
    for attacker in ("losses", "shadows")
)
_SIGNALS: tuple[Signal, ...] = ("output", "logits")


class _Case(NamedTuple):
    """What is repeated."""

    members: int
    int8: bool
    leak: float


def rows() -> list[Row]:
    """One row for every number of members and kind of output; two more for a leak that is there."""
    blocks = {_Case(size, int8, 0.0): _BLOCKS for size in _SIZES for int8 in (False, True)}
    blocks |= {_Case(_PLANTED_IN, int8, _LEAK): _PLANTED_BLOCKS for int8 in (False, True)}
    tasks = [(case, block) for case, number in blocks.items() for block in range(number)]
    with ProcessPoolExecutor(_PROCESSES) as pool:
        refused = dict(zip(tasks, pool.map(_refused, *zip(*tasks, strict=True)), strict=True))
    return [
        _row(case, float(np.mean([refused[case, block] for block in range(number)]))) for case, number in blocks.items()
    ]


def _row(case: _Case, refused: float) -> Row:
    world = f"{case.members} members, {'saturated int8' if case.int8 else 'float'}"
    if case.leak:
        return Row(f"planted leak found, {world}", refused, "of runs", at_least=0.9)
    return Row(f"false FAIL, no leak, {world}", refused, "of runs", at_most=0.05)


def _refused(case: _Case, block: int) -> float:
    """Share of a block's runs that refuse the model."""
    size, int8, leak = case
    rng = np.random.default_rng([size, int8, int(10 * leak), block])
    rows_a_person = _ROWS_A_PERSON[block % len(_ROWS_A_PERSON)]
    people = size // rows_a_person if rows_a_person else 0
    drawn = {
        signal: nature(
            rng,
            members=size,
            others=size,
            shadows=_SHADOWS,
            leak=leak,
            people=people,
            sureness=_SUREST if int8 else 3.0,
            int8=int8 and signal == "output",
        )
        for signal in _SIGNALS
    }
    tables = {signal: one.table(rng) for signal, one in drawn.items()}
    known = {
        (signal, attack): _Known.of(table, attack) for signal, table in tables.items() for attack in attacks_on(table)
    }
    runs = _RUNS // _BLOCKS
    return sum(_fails(rng, drawn, known) for _ in range(runs)) / runs


@dataclass(frozen=True)
class _Known:
    """What of an attack rests on shadows alone."""

    attack: Attack
    scored: Scored
    correlation: float | None
    """Within people, where the attack shares evidence among their rows."""

    @staticmethod
    def of(table: ShadowTable, attack: Attack) -> _Known:
        """Score the shadows."""
        if attack not in SHARED or table.people is None:
            return _Known(attack, scored([table], attack), None)
        correlation = within_people(pseudo_scores(table, SHARED[attack]), table.inside, table.people)
        return _Known(SHARED[attack], scored([table], attack), correlation)

    def on(self, table: ShadowTable) -> Scored:
        """The same shadows with another target."""
        target = target_scores(table, self.attack)
        if self.correlation is not None and table.people is not None:
            target = share(target[np.newaxis], table.people, self.correlation)[0]
        return replace(self.scored, target=target)


def _fails(
    rng: np.random.Generator, drawn: Mapping[Signal, Nature], known: Mapping[tuple[Signal, Attack], _Known]
) -> bool:
    """Draw a target and judge it."""
    drift = rng.normal(0, _DRIFT)
    tables = {signal: one.table(rng, drift=drift) for signal, one in drawn.items()}
    parts = [*_weak(tables["output"]), *_strong(tables, known)]
    return any(finding.outcome is Outcome.FAIL for finding in judge(_RULES, parts, None, PrivacyPart()))


def _strong(
    tables: Mapping[Signal, ShadowTable], known: Mapping[tuple[Signal, Attack], _Known]
) -> Iterator[MembershipPart]:
    for (signal, attack), before in known.items():
        table = tables[signal]
        found = before.on(table)
        attacker = Attacker("device", signal, (table,), None, "rows", _LEVEL)
        for group, mask in table.groups_of(_SPECS):
            yield from parts_of(attacker, attack, group, _FPR, found.only(mask))


def _weak(table: ShadowTable) -> tuple[MembershipPart, ...]:
    """The attack by losses reads probabilities of two classes, which are made of φ here."""
    p = 1 / (1 + np.exp(-table.target))
    scores = np.where(table.y[:, None] == np.arange(2), p[:, None], 1 - p[:, None]).astype(np.float32)
    female = table.groups["sex"][0][1]

    def side(chosen: np.ndarray) -> tuple[Predictions, Split]:
        sex = np.where(female[chosen], "f", "m")
        people = None if table.people is None else table.people[chosen].astype(str)
        return Predictions(scores[chosen], 0.0, "device"), Split(scores[chosen], table.y[chosen], {"sex": sex}, people)

    (inside, train), (outside, evaluation) = side(table.member), side(~table.member)
    return membership("device", inside, outside, train, evaluation, _SPECS, _FPR, 0, _LEVEL)


if __name__ == "__main__":
    conclude("privacy_null", rows())
