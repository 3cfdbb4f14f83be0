"""Data sets of every task, from the manifest to the population."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from audit_pipeline.data.load import load_population
from audit_pipeline.predictions import Reading, Score, Task


def regression(dataset: Any, **labels: Any) -> None:
    del dataset.manifest["classes"], dataset.manifest["alarm_classes"]
    dataset.manifest |= {"task": "regression", "unit": "mg/dL"}
    for number, (name, split) in enumerate(dataset.splits.items()):
        split["y"] = labels.get(name, np.array([90.5, -3.25, 0.1, 1e6]) + number)


def anomaly(dataset: Any, **keys: Any) -> None:
    dataset.manifest |= {"task": "anomaly", "threshold": 2.5, **keys}
    del dataset.manifest["alarm_classes"]


def test_a_data_set_is_of_classes_unless_it_says_otherwise(dataset: Any) -> None:
    population = dataset.load()
    assert population.reading == Reading(Task.CLASSIFICATION, None, Score.OUTPUT)
    assert (population.unit, population.row_seconds, population.evaluation.target) == (None, None, None)


def test_two_classes_may_have_a_threshold_and_rows_a_length(dataset: Any) -> None:
    dataset.manifest |= {"threshold": 0.125, "row_seconds": 2}
    population = dataset.load()
    assert population.reading == Reading(Task.CLASSIFICATION, 0.125)
    assert (population.threshold, population.row_seconds) == (0.125, 2.0)
    assert population.part.row_seconds == 2.0


def test_a_regression_reads_numbers_and_has_no_classes(dataset: Any) -> None:
    regression(dataset)
    population = dataset.load()
    train = population.train
    assert train.target.tolist() == [90.5, -3.25, 0.1, 1e6]
    assert train.target.dtype == np.float64
    assert train.y.tolist() == [0, 0, 0, 0]
    assert not train.target.flags.writeable
    assert (population.task, population.unit, population.classes) == (Task.REGRESSION, "mg/dL", ())
    assert [split.classes for split in population.part.splits] == [{}, {}, {}]
    assert population.part.task == "regression"


@pytest.mark.parametrize("kind", [np.int16, np.float32, bool])
def test_a_regressions_labels_may_be_any_numbers(dataset: Any, kind: Any) -> None:
    labels = np.array([1, 0, 1, 1]).astype(kind)
    regression(dataset, train=labels)
    assert dataset.load().train.target.tolist() == [1.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("labels", "code", "what"),
    [
        (np.array([1.0, np.nan, 2.0, np.nan]), "data.label", "y: row 1 has no label (2 such rows)"),
        (np.array([1.0, 2.0, np.inf, 3.0]), "data.label", "y: row 2 has the label inf, which is beyond float32"),
        (np.array([1.0, 2.0, 3.0, -1e39]), "data.label", "y: row 3 has the label -1e+39, which is beyond float32"),
        (np.ones((4, 1)), "data.label", "y: it has shape (4, 1), but must have one value a row"),
        (np.array(["a", "b", "c", "d"]), "data.unreadable", "array y holds <U1, not real numbers"),
        (np.ones(4, dtype=complex), "data.unreadable", "not real numbers"),
        (np.ones(3), "data.length", "label has 3 rows, the features have 4"),
        (np.zeros(0), "data.length", "label has 0 rows"),
    ],
)  # fmt: skip
def test_labels_a_regression_cannot_use_are_refused(dataset: Any, labels: Any, code: str, what: str) -> None:
    regression(dataset, evaluation=labels)
    error = dataset.refused()
    assert error.code == code
    assert what in error.what
    assert error.where.endswith("evaluation.npz")


def test_a_regression_may_not_be_told_its_answer(dataset: Any) -> None:
    regression(dataset)
    dataset.manifest["features"] = ["x", "y"]
    assert dataset.refused().code == "data.leak"


def test_a_regression_without_its_column_is_refused_at_the_line(dataset: Any) -> None:
    regression(dataset)
    dataset.manifest["label"] = "yy"
    error = dataset.refused()
    assert (error.code, error.where) == ("data.missing-column", dataset.line_of("label"))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_missing_label_in_a_table_is_found(tmp_path: Path, ending: str) -> None:
    for number, name in enumerate(("train", "calibration", "evaluation")):
        table = pa.table({"f": [1.0, 2.0, 3.0], "y": [4.5, 5.5 + number, None if name == "evaluation" else 6.5]})
        path = tmp_path / f"{name}.{ending}"
        if ending == "csv":
            rows = zip(*table.to_pydict().values(), strict=True)
            path.write_text("f,y\n" + "".join(f"{f},{'' if y is None else y}\n" for f, y in rows))
        else:
            pyarrow.parquet.write_table(table, path)
    manifest = {
        "version": 1, "name": "t", "description": "d", "source": "s", "synthetic": True, "task": "regression",
        "features": ["f"], "label": "y",
        "splits": {name: f"{name}.{ending}" for name in ("train", "calibration", "evaluation")},
    }  # fmt: skip
    (tmp_path / "dataset.yaml").write_text(json.dumps(manifest))
    with pytest.raises(Exception, match="row 2 has no label") as caught:
        load_population(tmp_path / "dataset.yaml")
    assert caught.value.code == "data.label"  # type: ignore[attr-defined]


def test_an_anomaly_has_two_classes_and_the_second_raises_the_alarm(dataset: Any) -> None:
    anomaly(dataset)
    population = dataset.load()
    assert population.reading == Reading(Task.ANOMALY, 2.5, Score.OUTPUT)
    assert (population.classes, population.alarm_classes) == (("N", "V"), ("V",))
    assert population.train.y.tolist() == [0, 1, 0, 1]


def test_an_autoencoder_need_not_have_met_an_anomaly(dataset: Any) -> None:
    anomaly(dataset, score="reconstruction_error")
    dataset.splits["train"]["y"] = np.array(["N"] * 4)
    population = dataset.load()
    assert population.reading.reconstructs
    assert population.part.splits[0].classes == {"N": 4, "V": 0}


def test_but_it_must_have_met_what_is_normal(dataset: Any) -> None:
    anomaly(dataset)
    dataset.splits["train"]["y"] = np.array(["V"] * 4)
    error = dataset.refused()
    assert (error.code, error.where) == ("data.class-absent", dataset.line_of("classes"))
    assert "labelled N" in error.what
