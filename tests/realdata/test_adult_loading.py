"""The UCI Adult census extract as a Parquet data set: categories with missing values, and a column to bin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audit_pipeline.data.load import load_population

ADULT = Path(__file__).parents[3] / "shared" / "data" / "adult" / "adult.data"
COLUMNS = [
    "age", "workclass", "fnlwgt", "education", "education_num", "marital", "occupation", "relationship", "race", "sex",
    "gain", "loss", "hours", "country", "income",
]  # fmt: skip
NUMBERS = ["age", "education_num", "gain", "loss", "hours"]
MANIFEST = """\
version: 1
name: adult
description: census records, income above or up to 50,000 dollars
source: Becker & Kohavi 1996, UCI, CC BY 4.0
synthetic: false
features: [age, education_num, gain, loss, hours]
label: income
classes: ["<=50K", ">50K"]
groups:
  sex: {column: sex}
  race: {column: race}
  work: {column: workclass}
  age_band: {column: age, bins: [17, 30, 45, 65, 91]}
splits: {train: train.parquet, calibration: calibration.csv, evaluation: evaluation.parquet}
"""

pytestmark = pytest.mark.skipif(not ADULT.is_file(), reason=f"{ADULT} is not there")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(ADULT, names=COLUMNS, skipinitialspace=True, na_values="?")


def test_census_records_are_read_as_pandas_counts_them(table: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "dataset.yaml").write_text(MANIFEST, encoding="utf-8")
    evaluation, train, calibration = table[:10000], table[10000:30000], table[30000:]
    train.to_parquet(tmp_path / "train.parquet")
    evaluation.to_parquet(tmp_path / "evaluation.parquet")
    calibration.to_csv(tmp_path / "calibration.csv", index=False)
    population = load_population(tmp_path / "dataset.yaml")

    np.testing.assert_array_equal(population.evaluation.x, evaluation[NUMBERS].to_numpy(dtype=np.float32))
    np.testing.assert_array_equal(population.calibration.y, (calibration.income == ">50K").to_numpy())
    for split, rows in zip(population.part.splits, (train, calibration, evaluation), strict=True):
        assert split.groups["race"] == rows.race.value_counts().to_dict()
        assert split.groups["work"] == rows.workclass.fillna("unknown").value_counts().to_dict()
        assert split.groups["age_band"]["30-44"] == ((rows.age >= 30) & (rows.age < 45)).sum()
