from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pytest

from audit_pipeline.data.load import load_population


def test_rows_labels_groups_and_subjects_are_read(dataset: Any) -> None:
    population = dataset.load()
    train = population.train
    np.testing.assert_array_equal(train.x, dataset.splits["train"]["x"])
    assert (train.x.dtype, train.y.dtype) == (np.float32, np.int64)
    assert train.y.tolist() == [0, 1, 0, 1]
    assert train.subjects.tolist() == ["10", "10", "11", "11"]
    assert train.groups["sex"].tolist() == ["F", "unknown", "M", "M"]
    assert train.groups["age_band"].tolist() == ["0-44", "45-64", "unknown", "65-119"]
    assert (population.classes, population.alarm_classes) == (("N", "V"), ("V",))


def test_evidence_counts_rows_and_people_but_holds_none(dataset: Any) -> None:
    part = dataset.load().part
    assert [split.name for split in part.splits] == ["train", "calibration", "evaluation"]
    train = part.splits[0]
    assert (train.file, train.rows, train.subjects, train.classes) == ("train.npz", 4, 2, {"N": 2, "V": 2})
    assert train.groups == {
        "sex": {"F": 1, "M": 2, "unknown": 1},
        "age_band": {"0-44": 1, "45-64": 1, "65-119": 1, "unknown": 1},
    }


def test_digests_are_of_the_files_bytes(dataset: Any) -> None:
    part = dataset.load().part
    digest = {
        name: hashlib.sha256((dataset.folder / f"{name}.npz").read_bytes()).hexdigest() for name in dataset.splits
    }
    assert {split.name: split.sha256 for split in part.splits} == digest
    manifest = hashlib.sha256(dataset.path.read_bytes()).hexdigest()
    whole = json.dumps({"manifest": manifest, "splits": digest}, sort_keys=True, separators=(",", ":"))
    assert part.sha256 == hashlib.sha256(whole.encode()).hexdigest()


def test_what_was_loaded_cannot_be_changed(dataset: Any) -> None:
    split = dataset.load().evaluation
    for array in (split.x, split.y, split.subjects, *split.groups.values()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[0]


def test_progress_is_told_of_every_split(dataset: Any) -> None:
    dataset.write()
    told: list[tuple[str, float]] = []
    load_population(dataset.path, lambda step, done: told.append((step, done)))
    assert [step for step, _ in told][:3] == [f"reading the {name} split" for name in dataset.splits]
    assert [done for _, done in told] == sorted(done for _, done in told)
    assert told[-1][1] == 1.0


def test_subjects_and_groups_may_be_left_out(dataset: Any) -> None:
    del dataset.manifest["subject"], dataset.manifest["groups"]
    population = dataset.load()
    assert population.train.subjects is None
    assert population.train.groups == {}
    assert population.part.splits[0].subjects is None


def test_rows_take_the_manifests_shape(dataset: Any) -> None:
    dataset.manifest["shape"] = [3, 1]
    assert dataset.load().train.x.shape == (4, 3, 1)


def test_several_arrays_of_numbers_become_one_row(dataset: Any) -> None:
    for split in dataset.splits.values():
        split |= {"f_a": np.arange(4), "f_b": np.ones(4, dtype=bool), "g": np.zeros(4)}
    dataset.manifest["features"] = "f_*"
    assert dataset.load().train.x.tolist() == [[0, 1], [1, 1], [2, 1], [3, 1]]
    dataset.manifest["features"] = ["g", "f_a"]
    assert dataset.load().train.x.tolist() == [[0, 0], [0, 1], [0, 2], [0, 3]]


def test_a_file_that_is_not_there_is_named_at_its_line(dataset: Any) -> None:
    dataset.manifest["splits"]["calibration"] = "calibraton.npz"
    error = dataset.refused()
    assert (error.code, error.where) == ("data.not-found", dataset.line_of("splits"))


@pytest.mark.parametrize(("name", "code"), [("data.txt", "data.format"), ("folder.npz", "data.unreadable")])
def test_a_path_that_is_no_table_is_refused(dataset: Any, name: str, code: str) -> None:
    (dataset.folder / "folder.npz").mkdir()
    dataset.manifest["splits"]["train"] = name
    assert dataset.refused().code == code


@pytest.mark.parametrize(
    ("key", "value", "meant"),
    [
        ("features", "X", "has no column X, did you mean x?"),
        ("features", ["x", "xx"], "has no column xx, did you mean x?"),
        ("label", "labels", "has no column labels"),
        ("subject", "wo", "has no column wo, did you mean who?"),
        ("groups", {"sex": {"column": "Sex"}}, "has no column Sex, did you mean sex?"),
    ],
)
def test_a_column_that_is_not_there_is_told_at_its_line(dataset: Any, key: str, value: Any, meant: str) -> None:
    dataset.manifest[key] = value
    error = dataset.refused()
    assert (error.code, error.where) == ("data.missing-column", dataset.line_of(key))
    assert meant in error.what
    assert "x, y, who, sex, age" in error.hint


@pytest.mark.parametrize(
    ("column", "value", "code", "what"),
    [
        ("x", np.zeros((0, 3)), "data.empty-split", "the evaluation split has no rows"),
        ("x", np.zeros((5, 3)), "data.length", "label has 4 rows, the features have 5"),
        ("x", np.zeros((4, 0)), "data.features", "a row holds no value"),
        ("x", np.array(list("abcd")), "data.unreadable", "array x holds <U1, not real numbers"),
        ("x", np.zeros((4, 3), dtype=complex), "data.unreadable", "not real numbers"),
        ("x", np.array([[1], [2], [np.nan], [np.inf]]), "data.features", "row 2 holds a value that is missing"),
        ("x", np.full((4, 3), 1e39), "data.features", "beyond float32 (4 such rows)"),
        ("x", np.zeros((4, 2)), "data.shape", "rows have shape (3,) in train.npz and (2,) in evaluation.npz"),
        ("x", np.array([None] * 4), "data.unreadable", "Python objects, which are never loaded"),
        ("y", np.eye(4)[:, :2], "data.unreadable", "not one-hot"),
        ("y", np.array(["N", "W", "V", "N"]), "data.label", "row 1 has the label W; allowed are N, V"),
        ("y", np.array(["N", "V", "v", "N"]), "data.label", "row 2 has the label v, did you mean V?"),
        ("y", np.array([0, 1, 2, 0]), "data.label", "row 2 has the label 2"),
        ("y", np.array([0, -1, 0, 0]), "data.label", "row 1 has the label -1"),
        ("y", np.array([0, 0.5, 0, 0]), "data.label", "row 1 has the label 0.5"),
        ("y", np.array(["N", "", "V", "N"]), "data.label", "row 1 has no label"),
        ("y", np.array(["N", "V", "N"]), "data.length", "label has 3 rows"),
        ("who", np.array([31, 31, 32, np.nan]), "data.subject", "row 3 names nobody"),
        ("who", np.array([31, 31, 32, 32, 33]), "data.length", "subject has 5 rows"),
        ("who", np.array([1 + 2j] * 4), "data.unreadable", "not text or numbers"),
        ("sex", np.array(["F", "M" * 65537, "F", "F"]), "data.unreadable", "row 1 holds 65537 characters"),
        ("sex", np.array([b"F", b"\xff", b"F", b"F"]), "data.unreadable", "row 1 holds bytes that are not UTF-8"),
        ("age", np.array([1, 2, 120, 3]), "data.group", "row 2 has 120, outside of the bins from 0 up to"),
        ("age", np.array([1, -1, 2, 3]), "data.group", "row 1 has -1, outside of the bins"),
        ("age", np.array(["1", "2", "old", "3"]), "data.group", "row 2 has old, which is no number"),
        ("age", np.array([1, np.inf, 2, 3]), "data.group", "row 1 has inf, outside of the bins"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_used_are_refused(dataset: Any, column: str, value: Any, code: str, what: str) -> None:
    dataset.splits["evaluation"][column] = value
    error = dataset.refused()
    assert error.code == code
    assert what in error.what
    assert error.where.endswith("evaluation.npz")


def test_a_row_must_fill_the_shape(dataset: Any) -> None:
    dataset.manifest["shape"] = [2, 2]
    assert "a row holds 3 values, the shape 2×2 takes 4" in dataset.refused().what


def test_nobody_may_be_in_two_splits(dataset: Any) -> None:
    dataset.splits["train"]["who"] = np.array(["a", "b", "20", "21"])
    error = dataset.refused()
    assert error.code == "data.subject-shared"
    assert error.what == "2 subjects are in both the train and the calibration split: 20, 21"


def test_people_are_the_same_however_their_number_is_written(dataset: Any) -> None:
    dataset.splits["train"]["who"] = np.array(["a", "b", "c", "30"])
    dataset.splits["evaluation"]["who"] = np.array([30.0, 31.0, 31.0, 31.0])
    assert dataset.refused().what.endswith("1 subject is in both the train and the evaluation split: 30")


def test_few_of_many_shared_people_are_named(dataset: Any) -> None:
    del dataset.manifest["groups"]
    people, labels = np.arange(100, 199), np.arange(99) % 2
    dataset.splits["train"] = {"x": np.zeros((99, 3)), "y": labels, "who": people}
    dataset.splits["evaluation"] = {"x": np.ones((99, 3)), "y": labels, "who": people}
    assert dataset.refused().what.endswith("both the train and the evaluation split: 100, 101, 102, 103, 104, …")


def test_one_file_may_not_serve_as_two_splits(dataset: Any) -> None:
    del dataset.manifest["subject"]
    dataset.splits["evaluation"] = dataset.splits["train"]
    dataset.write()
    (dataset.folder / "evaluation.npz").write_bytes((dataset.folder / "train.npz").read_bytes())
    assert dataset.refused(lambda: load_population(dataset.path)).code == "data.split-repeated"


def test_every_class_must_be_in_the_train_split(dataset: Any) -> None:
    dataset.splits["train"]["y"] = np.array(["N"] * 4)
    error = dataset.refused()
    assert (error.code, error.where) == ("data.class-absent", dataset.line_of("classes"))
    assert "no row of the train split is labelled V" in error.what


@pytest.mark.parametrize(("features", "role"), [(["x", "y"], "label"), ("*", "label"), (["who"], "subject")])
def test_the_answer_may_not_be_among_the_features(dataset: Any, features: Any, role: str) -> None:
    dataset.manifest["features"] = features
    error = dataset.refused()
    assert error.code == "data.leak"
    assert f"the features include the {role}" in error.what


def test_a_pattern_must_match_the_same_columns_in_every_split(dataset: Any) -> None:
    dataset.manifest["features"] = "f_*"
    for split in dataset.splits.values():
        split |= {"f_a": np.zeros(4), "f_b": np.zeros(4)}
    dataset.splits["evaluation"]["f_c"] = np.zeros(4)
    assert dataset.refused().code == "data.shape"
    del dataset.splits["evaluation"]["f_b"]
    error = dataset.refused()
    assert error.code == "data.features-differ"
    assert "f_b, f_c" in error.what


def test_too_many_groups_are_refused(dataset: Any) -> None:
    for number, split in enumerate(dataset.splits.values()):
        rows = 1001
        split |= {"x": np.ones((rows, 1)) * number, "y": np.arange(rows) % 2, "who": np.arange(rows) + 1000 * number}
        split |= {"sex": np.arange(rows), "age": np.ones(rows)}
    assert "1001 different values, more than 1000: give bins" in dataset.refused().what
