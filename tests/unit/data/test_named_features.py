"""Rows of a model with several inputs: named in the manifest, flat and side by side in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audit_pipeline.evidence import InputPart


@pytest.fixture
def several(dataset: Any) -> Any:
    """The small data set with a trace and two columns of the patient."""
    dataset.manifest["features"] = {"beat": "ecg", "patient": ["years", "sex01"]}
    for number, split in enumerate(dataset.splits.values(), 1):
        random = np.random.default_rng(number)
        split |= {"ecg": random.normal(size=(4, 6)), "years": np.arange(4) + number, "sex01": np.array([0, 1, 1, 0])}
    return dataset


def test_the_values_of_each_input_lie_one_after_the_other(several: Any) -> None:
    several.manifest["shape"] = {"beat": [3, 2]}
    population = several.load()
    assert population.part.inputs == (InputPart(name="beat", shape=(3, 2)), InputPart(name="patient", shape=(2,)))
    for split, arrays in zip(
        (population.train, population.evaluation), list(several.splits.values())[::2], strict=True
    ):
        assert (split.x.shape, split.x.dtype) == ((4, 8), np.float32)
        np.testing.assert_array_equal(split.x[:, :6], arrays["ecg"].astype(np.float32))
        np.testing.assert_array_equal(split.x[:, 6], arrays["years"])
        np.testing.assert_array_equal(split.x[:, 7], arrays["sex01"])


def test_the_order_is_the_manifests(several: Any) -> None:
    several.manifest["features"] = dict(reversed(several.manifest["features"].items()))
    population = several.load()
    assert [each.name for each in population.part.inputs] == ["patient", "beat"]
    np.testing.assert_array_equal(population.train.x[:, 0], several.splits["train"]["years"])


def test_an_array_keeps_its_shape_where_none_is_given(several: Any) -> None:
    for split in several.splits.values():
        split["ecg"] = split["ecg"].reshape(4, 2, 3)
    assert several.load().part.inputs[0].shape == (2, 3)


def test_one_input_is_not_named(dataset: Any) -> None:
    assert dataset.load().part.inputs == ()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"features": {"beat": "ecg"}}, "features: must have at least 2 items"),
        ({"features": {"beat": "ecg", "patient": 5}}, "features.patient: must be an array's name"),
        ({"features": {"beat": "ecg", "patient": []}}, "features.patient: must not be empty"),
        ({"features": {"beat": "ecg", "patient": {"a": "b"}}}, "features.patient: must be an array's name"),
        ({"features": {"beat": "ecg", "patient": ["years", "y"]}}, "the features include the label, y"),
        ({"features": {"beat": "ecg", "patient": ["years", "nobody"]}}, "has no column nobody"),
        ({"features": {"beat": "leads_*", "patient": "years"}}, "has no column leads_*"),
        ({"shape": [6]}, "shape: features and shape differ in form"),
        ({"features": "ecg", "shape": {"beat": [6]}}, "shape: features and shape differ in form"),
        ({"shape": {"baet": [6]}}, "shape: baet is not one of features, did you mean beat?"),
        ({"shape": {"beat": [6.5]}}, "shape.beat[0]: must be a whole number"),
        ({"shape": "6"}, "shape: must be a list of sizes, or one for each of several inputs"),
        ({"shape": {"beat": [5]}}, "features.beat: a row holds 6 values, the shape 5 takes 5"),
        ({"task": "anomaly", "threshold": 1.0, "score": "reconstruction_error"}, "an autoencoder gives back one input"),
    ],
)
def test_a_manifest_that_does_not_hold_is_refused(several: Any, changes: dict[str, Any], complaint: str) -> None:
    several.manifest |= changes
    assert complaint in several.refused().what


def test_inputs_of_different_lengths_are_refused(several: Any) -> None:
    several.splits["calibration"]["years"] = np.arange(3)
    several.splits["calibration"]["sex01"] = np.arange(3)
    error = several.refused()
    assert error.code == "data.length"
    assert "beat has 4, patient has 3" in error.what


def test_splits_whose_inputs_differ_in_shape_are_refused(several: Any) -> None:
    several.splits["evaluation"]["ecg"] = several.splits["evaluation"]["ecg"].reshape(4, 2, 3)
    error = several.refused()
    assert error.code == "data.shape"
    assert "beat (2, 3)" in error.what
