from __future__ import annotations

from typing import Any

import numpy as np
import pytest


def test_without_the_key_every_class_counts_the_same(dataset: Any) -> None:
    assert dataset.load().class_weights is None


def test_numbers_are_taken_and_a_class_without_one_counts_one(dataset: Any) -> None:
    dataset.manifest["class_weights"] = {"V": 2.5}
    population = dataset.load()
    assert population.class_weights == {"N": 1.0, "V": 2.5}
    assert population.development.class_weights == population.part.class_weights


def test_balanced_gives_every_class_of_the_train_split_the_same_total(dataset: Any) -> None:
    dataset.manifest["class_weights"] = "balanced"
    dataset.splits["train"]["y"] = np.array(["N", "V", "N", "N"])
    weights = dataset.load().class_weights
    assert (3 * weights["N"], 1 * weights["V"]) == (pytest.approx(2), pytest.approx(2))


def test_balanced_leaves_out_an_odd_class_that_the_train_split_never_shows(dataset: Any) -> None:
    dataset.manifest |= {"class_weights": "balanced", "task": "anomaly", "threshold": 0.5}
    dataset.splits["train"]["y"] = np.array(["N"] * 4)
    assert dataset.load().class_weights == {"N": 1.0}


@pytest.mark.parametrize(
    ("weights", "complaint"),
    [
        ({"v": 2}, "class_weights: v is not one of classes, did you mean V?"),
        ({"V": 0}, "must be above 0, not 0"),
        ({"V": -1}, "must be above 0, not -1"),
        ({"V": "much"}, "must be a number"),
        ({}, "class_weights"),
        ("even", "balanced"),
        (3, "class_weights: must be the word balanced, or a positive number for each class"),
    ],
)
def test_weights_that_make_no_sense_are_refused_at_their_line(dataset: Any, weights: Any, complaint: str) -> None:
    dataset.manifest["class_weights"] = weights
    error = dataset.refused()
    assert complaint in error.what
    assert str(error.where).startswith(f"{dataset.path}")


def test_a_regression_has_no_classes_to_weigh(dataset: Any) -> None:
    del dataset.manifest["classes"], dataset.manifest["alarm_classes"]
    dataset.manifest |= {"task": "regression", "class_weights": "balanced"}
    assert "a regression has no classes: leave class_weights out" in dataset.refused().what
