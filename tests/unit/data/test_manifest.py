from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from audit_pipeline.data.load import load_population
from audit_pipeline.data.manifest import Manifest
from audit_pipeline.strict_yaml import load


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("version", 2, "version: must be 1, not 2"),
        ("name", "My Data", 'name: "My Data" does not have the form'),
        ("source", "", "source: must not be empty"),
        ("synthetic", "no", 'synthetic: must be true or false, not the text "no"'),
        ("features", 5, "features: must be an array's name, a pattern of column names, or a list of columns"),
        ("features", [], "features: must not be empty"),
        ("features", ["a", 5], "features[1]: must be text, not 5"),
        ("shape", [], "shape: must not be empty"),
        ("shape", [0], "shape[0]: must be above 0, not 0"),
        ("shape", [1.5], "shape[0]: must be a whole number, not 1.5"),
        ("label", None, "label: must be text, but nothing is given"),
        ("classes", ["N"], "classes: must have at least 2 items"),
        ("classes", ["N", "V", "N"], "classes: N stands twice"),
        ("classes", [0, 1], "classes[0]: must be text, not 0: put it in quotes"),
        ("alarm_classes", ["v"], "alarm_classes: v is not one of classes, did you mean V?"),
        ("groups", {"overall": {"column": "a"}}, "groups: overall stands for everybody"),
        ("groups", {"age band": {"column": "a"}}, "does not have the form"),
        ("groups", {"age": {"column": "a", "bins": [0]}}, "groups.age.bins: must have at least 2 items"),
        ("groups", {"age": {"column": "a", "bins": [0, 5, 5]}}, "groups.age.bins: bins must rise: 5 follows 5"),
        ("groups", {"age": {"colum": "a"}}, "groups.age.colum: unknown key, did you mean column?"),
        ("splits", {"train": "a.npz", "calibration": "b.npz"}, "splits.evaluation: missing key"),
        ("splits", {"train": "a.npz", "calibration": "b.npz", "evaluation": "a.npz"}, "splits: a.npz stands twice"),
        ("weights", "w", "weights: unknown key"),
    ],
)
def test_a_manifest_that_does_not_hold_is_refused_at_its_line(
    dataset: Any, key: str, value: Any, complaint: str
) -> None:
    dataset.manifest[key] = value
    dataset.write_manifest()
    error = dataset.refused(lambda: load_population(dataset.path))
    assert error.code.startswith("data.")
    assert complaint in error.what
    assert str(error.where).startswith(str(dataset.path))


def test_a_manifest_that_is_not_there_is_refused(dataset: Any) -> None:
    assert dataset.refused(lambda: load_population(dataset.path)).code == "data.not-found"


ANOMALY = {"task": "anomaly", "threshold": 2.5}
REGRESSION = {"task": "regression", "classes": None, "alarm_classes": None}


@pytest.mark.parametrize(
    ("changed", "line", "complaint"),
    [
        ({"task": "ranking"}, "task", "task: must be 'classification', 'anomaly' or 'regression'"),
        ({"task": "anomali"}, "task", "did you mean anomaly?"),
        ({"classes": None}, None, "classes: missing key"),
        ({"task": "anomaly"}, None, "threshold: missing key: give the score above which the device raises the alarm"),
        (ANOMALY | {"classes": ["N", "V", "F"]}, "classes", "classes: an anomaly has 2 classes, normal first"),
        (ANOMALY | {"alarm_classes": ["N"]}, "alarm_classes", "so only V can stand here"),
        (ANOMALY | {"alarm_classes": ["V", "N"]}, "alarm_classes", "so only V can stand here"),
        (ANOMALY | {"score": "mse"}, "score", "score: must be 'output' or 'reconstruction_error', not"),
        (ANOMALY | {"unit": "mV"}, "unit", "unit: only for task: regression: leave it out"),
        (ANOMALY | {"threshold": "high"}, "threshold", "threshold: must be a number, not the text"),
        (ANOMALY | {"threshold": -1e39}, "threshold", "a number that firmware's float32 holds, not -1e+39"),
        ({"score": "output"}, "score", "score: only for task: anomaly: leave it out"),
        ({"unit": "mV"}, "unit", "unit: only for task: regression: leave it out"),
        ({"threshold": 1}, "threshold", "threshold: must be at least 0 and below 1"),
        ({"threshold": -0.1}, "threshold", "as it is held against a probability, not -0.1"),
        (
            {"classes": ["N", "V", "F"], "threshold": 0.5},
            "threshold",
            "threshold: a threshold parts two classes: leave it out",
        ),
        ({"row_seconds": 0}, "row_seconds", "row_seconds: must be above 0, not 0"),
        (REGRESSION | {"classes": ["N", "V"]}, "classes", "classes: a regression predicts a number: leave classes out"),
        (REGRESSION | {"alarm_classes": ["V"]}, "alarm_classes", "alarm_classes: a regression predicts a number"),
        (REGRESSION | {"threshold": 0.5}, "threshold", "threshold: a threshold parts two classes: leave it out"),
        (REGRESSION | {"score": "output"}, "score", "score: only for task: anomaly"),
        (REGRESSION | {"unit": "m" * 41}, "unit", "unit: must have at most 40 characters"),
    ],
)
def test_what_does_not_fit_the_task_is_refused_at_its_line(
    dataset: Any, changed: dict[str, Any], line: str | None, complaint: str
) -> None:
    apply(dataset, changed)
    dataset.write_manifest()
    error = dataset.refused(lambda: load_population(dataset.path))
    assert complaint in error.what
    assert error.where == (dataset.line_of(line) if line else f"{dataset.path}:1")


def apply(dataset: Any, changed: dict[str, Any]) -> None:
    """Set these keys of the manifest; None leaves one out."""
    dataset.manifest |= changed
    dataset.manifest = {key: value for key, value in dataset.manifest.items() if value is not None}


def template() -> str:
    return (resources.files("audit_pipeline.cli") / "templates" / "dataset.yaml").read_text(encoding="utf-8")


def test_the_template_names_every_key() -> None:
    assert not {key for key in Manifest.model_fields if f"{key}:" not in template()}


def test_the_template_holds_but_for_its_data(tmp_path: Path) -> None:
    path = tmp_path / "dataset.yaml"
    path.write_text(template(), encoding="utf-8")
    assert load(path, Manifest, "data").value.task == "classification"
