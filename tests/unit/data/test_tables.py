from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit_pipeline.data.load import load_population
from audit_pipeline.data.population import Population

FEATURES = ("f_2", "f_10", "f_1")


@pytest.fixture(params=["csv", "parquet"])
def tables(request: pytest.FixtureRequest, dataset: Any) -> Callable[..., Population]:
    """Loads the small data set out of tables; `change` is applied to the table of the evaluation split."""

    def load(change: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table, **manifest: Any) -> Population:
        dataset.manifest |= {"features": "f_*"} | manifest
        dataset.manifest["splits"] = {name: f"{name}.{request.param}" for name in dataset.splits}
        dataset.write_manifest()
        for name, arrays in dataset.splits.items():
            table = pd.DataFrame({key: value for key, value in arrays.items() if key != "x"})
            table = table.assign(**dict(zip(FEATURES, arrays["x"].T, strict=True)))
            table = change(table) if name == "evaluation" else table
            path = dataset.folder / f"{name}.{request.param}"
            table.to_csv(path, index=False) if request.param == "csv" else table.to_parquet(path, index=False)
        return load_population(dataset.path)

    return load


def test_a_table_gives_what_the_arrays_give(dataset: Any, tables: Callable[..., Population]) -> None:
    expected = dataset.load().evaluation
    read = tables().evaluation
    np.testing.assert_array_equal(read.x, expected.x)
    np.testing.assert_array_equal(read.y, expected.y)
    np.testing.assert_array_equal(read.subjects, expected.subjects)
    for column in expected.groups:
        np.testing.assert_array_equal(read.groups[column], expected.groups[column])


def test_rows_of_a_table_take_the_manifests_shape(tables: Callable[..., Population]) -> None:
    assert tables(shape=[3, 1]).train.x.shape == (4, 3, 1)


def test_a_list_of_columns_sets_their_order(dataset: Any, tables: Callable[..., Population]) -> None:
    x = tables(features=["f_1", "f_2"]).train.x
    np.testing.assert_array_equal(x, dataset.splits["train"]["x"][:, [2, 0]])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda t: t.assign(f_1=["a", "b", "c", "d"]), r"not numbers|invalid value 'a'"),
        (lambda t: t.assign(f_1=[1, None, 2, 3]), "row 1 holds a value that is missing"),
        (lambda t: t.assign(f_1=[1, np.inf, 2, 3]), "row 1 holds a value that is missing, infinite"),
        (lambda t: t.assign(y=["N", None, "V", "N"]), "row 1 has no label"),
        (lambda t: t.assign(y=["N", "NA", "V", "N"]), "row 1 has the label NA"),
        (lambda t: t.assign(who=["a", "b", "c", None]), "row 3 names nobody"),
        (lambda t: t.assign(sex="x" * 65537), "row 0 holds 65537 characters"),
        (lambda t: t.assign(age=[1, 2, 3, 500]), "row 3 has 500, outside of the bins"),
        (lambda t: t.drop(columns="sex"), "has no column sex"),
        (lambda t: t.iloc[:0], "the evaluation split has no rows"),
        (lambda t: t[[*t.columns[:4], "f_10", "f_2", "f_1"]], "another column order"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(
    dataset: Any, tables: Callable[..., Population], change: Callable[[pd.DataFrame], pd.DataFrame], what: str
) -> None:
    error = dataset.refused(lambda: tables(change))
    assert re.search(what, error.what), error.what


def test_categories_truth_values_and_dates_are_groups_too(dataset: Any) -> None:
    table = pd.DataFrame(
        {
            "f_1": [1.0, 2.0, 3.0],
            "y": pd.Categorical(["N", "V", "N"]),
            "smoker": pd.array([True, None, False], dtype="boolean"),
            "since": pd.to_datetime(["2024-01-02", None, "2024-01-02"]).date,
            "count": pd.array([1, None, 2], dtype="Int64"),
        }
    )
    dataset.manifest |= {"features": "f_*", "groups": {key: {"column": key} for key in ("smoker", "since", "count")}}
    del dataset.manifest["subject"]
    dataset.manifest["splits"] = {name: f"{name}.parquet" for name in dataset.splits}
    dataset.write_manifest()
    for number, name in enumerate(dataset.splits):
        table.assign(f_1=table.f_1 + number).to_parquet(dataset.folder / f"{name}.parquet")
    groups = load_population(dataset.path).train.groups
    assert groups["smoker"].tolist() == ["true", "unknown", "false"]
    assert groups["since"].tolist() == ["2024-01-02", "unknown", "2024-01-02"]
    assert groups["count"].tolist() == ["1", "unknown", "2"]


def test_text_of_a_csv_is_kept_as_it_is_written(dataset: Any) -> None:
    dataset.manifest |= {"features": ["f"], "groups": {"g": {"column": "g"}}}
    dataset.manifest["splits"] = {name: f"{name}.csv" for name in dataset.splits}
    dataset.write_manifest()
    for number, name in enumerate(dataset.splits):
        text = f'f,y,who,g\n{number},N,00{number},NA\n2,V,0{number}, null\n3.5,N,0{number},"a,\nb"\n4,N,0{number},\n'
        (dataset.folder / f"{name}.csv").write_text(text)
    split = load_population(dataset.path).calibration
    assert split.subjects is not None
    assert split.subjects.tolist() == ["001", "01", "01", "01"]
    assert split.groups["g"].tolist() == ["NA", " null", "a,\nb", "unknown"]


@pytest.mark.parametrize(
    ("name", "raw", "code", "what"),
    [
        ("a.csv", b"", "data.unreadable", "not a CSV file: its first line names no column"),
        ("a.csv", b"x,x,y\n1,2,N\n", "data.duplicate-column", "two columns are called x"),
        ("a.csv", b"x,y,who,sex,age\n1,N,a,F,1\n1,N\n", "data.unreadable", "Row #3: Expected 5 columns, got 2"),
        ("a.csv", b"x;y;who;sex;age\n1;N;a;F;1\n", "data.missing-column", "has no column x"),
        ("a.csv", b"x,y,who,sex,age\n1,N,a,\xff,1\n", "data.unreadable", "its text is not UTF-8"),
        ("a.parquet", b"", "data.unreadable", "not a Parquet file"),
        ("a.parquet", b"PAR1" + b"\0" * 64 + b"PAR1", "data.unreadable", "not a Parquet file"),
        ("a.npz", b"PK\x05\x06" + b"\0" * 18, "data.unreadable", "no array is in it"),
    ],
)
def test_files_that_are_not_what_their_ending_says_are_refused(
    dataset: Any, name: str, raw: bytes, code: str, what: str
) -> None:
    dataset.manifest["splits"]["train"] = name
    dataset.write()
    (dataset.folder / name).write_bytes(raw)
    error = dataset.refused(lambda: load_population(dataset.path))
    assert error.code == code
    assert what in error.what


def test_damaged_parquet_raises_nothing_but_an_input_error(dataset: Any, tmp_path: Path) -> None:
    table = pd.DataFrame({"x": np.arange(50.0), "y": ["N", "V"] * 25, "who": "a", "sex": "F", "age": 1})
    table.to_parquet(tmp_path / "train.parquet")
    raw = (tmp_path / "train.parquet").read_bytes()
    dataset.manifest["splits"]["train"] = "train.parquet"
    dataset.write()
    rng = np.random.default_rng(5)
    for _ in range(150):
        damaged = bytearray(raw)
        for place in rng.integers(0, len(raw), 3):
            damaged[place] = rng.integers(0, 256)
        (tmp_path / "train.parquet").write_bytes(
            bytes(damaged[: rng.integers(0, len(raw))] if rng.random() < 0.2 else damaged)
        )
        dataset.refused(lambda: load_population(dataset.path))  # at best, the other splits' shape differs
