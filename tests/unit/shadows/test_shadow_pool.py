"""Which rows are attacked, and when none can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from shadow_world import population, split

from audit_pipeline.data.population import Population, Split
from audit_pipeline.shadows.pool import Pool, Unattackable, pool


def pooled(world: Population, most_rows: int = 1000, seed: int = 0) -> Pool:
    found = pool(world, most_rows, seed)
    assert isinstance(found, Pool)
    return found


def refused(world: Population) -> str:
    found = pool(world, 1000, 0)
    assert isinstance(found, Unattackable)
    return found.reason


def of_nobody(rows: Split) -> Split:
    return replace(rows, subjects=None)


def test_members_are_the_train_split_and_others_the_evaluation_split() -> None:
    world = population()
    found = pooled(world)
    np.testing.assert_array_equal(found.rows.x[found.member], world.train.x)
    np.testing.assert_array_equal(found.rows.x[~found.member], world.evaluation.x)
    np.testing.assert_array_equal(found.attacked, np.arange(120))
    assert found.named and len(np.unique(found.units)) == 12
    assert found.notes == ()


def test_rows_are_thinned_evenly_over_people_and_classes() -> None:
    found = pooled(population(split(range(3), 1, rows=200), split(range(20, 26), 2, rows=50)), most_rows=120)
    rows = found.rows.take(found.attacked)
    assert rows.subjects is not None
    kinds = [(person, each) for person in np.unique(rows.subjects) for each in (0, 1)]
    counts = [int(((rows.subjects == person) & (rows.y == each)).sum()) for person, each in kinds]
    assert sorted(counts) == [5] * 12 + [10] * 6
    assert found.member[found.attacked].sum() == 60


def test_what_one_side_lacks_the_other_may_give() -> None:
    found = pooled(population(split(range(30), 1), split(range(50, 53), 2)), most_rows=200)
    assert found.member[found.attacked].sum() == 170
    assert len(found.attacked) == 200


def test_a_member_among_the_others_is_left_out() -> None:
    train = split(range(6), 1)
    others = split(range(20, 26), 3)
    x, y = others.x.copy(), others.y.copy()
    x[:7], y[:7] = train.x[:7], train.y[:7]
    found = pooled(population(train, replace(others, x=x, y=y)))
    assert len(found.rows) == 113
    assert found.notes == ("7 rows of the evaluation split stand in the train split too and were left out",)


def test_rows_that_are_equal_stay_together_where_nobody_is_named() -> None:
    train = of_nobody(split(range(6), 1))
    x, y = train.x.copy(), train.y.copy()
    x[1], y[1] = x[0], y[0]
    found = pooled(population(replace(train, x=x, y=y), of_nobody(split(range(20, 26), 3))))
    assert not found.named
    assert found.units[0] == found.units[1]
    assert len(np.unique(found.units)) == 119


def test_of_an_autoencoder_only_what_it_learns_from_is_attacked() -> None:
    world = population()
    part = world.part.model_copy(update={"task": "anomaly", "score": "reconstruction_error", "threshold": 1.0})
    found = pooled(replace(world, part=part))
    assert (found.rows.y[found.attacked] == 0).all()
    assert len(found.rows) == 120


@pytest.mark.parametrize(
    ("train", "evaluation", "reason"),
    [
        (split(range(1), 5), None, "10 training rows are too few"),
        (None, split(range(20, 21), 4), "10 rows that were not trained on are too few"),
        (split(range(6), 1), split(range(6), 1), "0 rows that were not trained on are too few: 20 are needed; 60 rows"),
        (split(range(1), 1, rows=30), split(range(20, 22), 2, rows=30), "3 people cannot be halved"),
    ],
)
def test_too_few_are_not_attacked(train: Split | None, evaluation: Split | None, reason: str) -> None:
    assert refused(population(train, evaluation)).startswith(reason)


def test_rows_of_one_class_are_not_attacked() -> None:
    def one(rows: Split) -> Split:
        return replace(rows, y=np.zeros_like(rows.y))

    assert "one class (no)" in refused(population(one(split(range(6), 1)), one(split(range(20, 26), 2))))
