from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit_pipeline.data.load import load_population
from audit_pipeline.data.population import Population
from audit_pipeline.errors import ExitCode, InputError

Arrays = dict[str, Any]

MANIFEST: dict[str, Any] = {
    "version": 1,
    "name": "small",
    "description": "d",
    "source": "s",
    "synthetic": True,
    "features": "x",
    "label": "y",
    "classes": ["N", "V"],
    "alarm_classes": ["V"],
    "subject": "who",
    "groups": {"sex": {"column": "sex"}, "age_band": {"column": "age", "bins": [0, 45, 65, 120]}},
    "splits": {"train": "train.npz", "calibration": "calibration.npz", "evaluation": "evaluation.npz"},
}


def arrays(number: int) -> Arrays:
    """Four rows of the split of that number, people 10 * number and 10 * number + 1."""
    return {
        "x": np.arange(12, dtype=np.float32).reshape(4, 3) + 100 * number,
        "y": np.array(["N", "V", "N", "V"]),
        "who": np.array([10 * number, 10 * number, 10 * number + 1, 10 * number + 1]),
        "sex": np.array(["F", "", "M", "M"]),
        "age": np.array([44.0, 45.0, np.nan, 119.5]),
    }


class Dataset:
    """A valid small data set on disk, changed before it is loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = json.loads(json.dumps(MANIFEST))
        self.splits = {name: arrays(number) for number, name in enumerate(MANIFEST["splits"], 1)}

    @property
    def path(self) -> Path:
        return self.folder / "dataset.yaml"

    def write_manifest(self) -> None:
        lines = (f"{key}: {json.dumps(value)}" for key, value in self.manifest.items())
        self.path.write_text("\n".join(lines), encoding="utf-8")  # one key a line, so that lines can be told apart

    def write(self) -> None:
        self.write_manifest()
        for name, split in self.splits.items():
            np.savez(self.folder / f"{name}.npz", **split)

    def load(self) -> Population:
        self.write()
        return load_population(self.path)

    def line_of(self, key: str) -> str:
        return f"{self.path}:{list(self.manifest).index(key) + 1}"

    def refused(self, load: Callable[[], Population] | None = None) -> InputError:
        with pytest.raises(InputError) as caught:
            (load or self.load)()
        assert caught.value.exit_code is ExitCode.INPUT
        assert caught.value.where
        return caught.value


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """A valid small data set; `dataset.load()` writes and loads it."""
    return Dataset(tmp_path)
