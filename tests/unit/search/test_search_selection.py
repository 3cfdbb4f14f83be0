"""What a search learns from, and what it chooses by."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from audit_pipeline.data.population import Development, Population
from audit_pipeline.search.selection import divide, portion


def test_without_a_holdout_it_chooses_by_the_calibration_split(population: Population) -> None:
    learning, selection = divide(population.development, 0.0, 1)
    assert learning.train is population.train
    assert selection.rows is population.calibration
    assert "100 rows of 5 people of the calibration split" in selection.said


def test_nobody_is_learnt_from_and_chosen_by(population: Population) -> None:
    learning, selection = divide(population.development, 0.3, 1)
    assert learning.train.subjects is not None and selection.rows.subjects is not None
    assert not set(learning.train.subjects) & set(selection.rows.subjects)
    assert len(learning.train) + len(selection.rows) == len(population.train) + len(population.calibration)
    assert set(np.unique(selection.rows.y)) == set(np.unique(learning.train.y)) == {0, 1, 2}


def test_development_data_have_no_evaluation_split(population: Population) -> None:
    assert "evaluation" not in {field.name for field in fields(Development)}
    learning, _ = divide(population.development, 0.3, 1)
    assert not hasattr(learning, "evaluation")


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_a_portion_has_its_share_of_every_class_in_every_group(population: Population, share: float) -> None:
    part = portion(population.train, share, 7)
    for key, inside in population.train.members("age*group"):
        for kind in range(3):
            rows = int((inside & (population.train.y == kind)).sum())
            drawn = next(mask for group, mask in part.members("age*group") if group == key) & (part.y == kind)
            assert int(drawn.sum()) == max(1, round(share * rows))


def test_the_whole_is_not_copied(population: Population) -> None:
    assert portion(population.train, 1.0, 7) is population.train
