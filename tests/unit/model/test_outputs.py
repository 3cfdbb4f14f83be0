"""Outputs held against the task of the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit_pipeline.data.population import Population, Split
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import DataPart, SourcePart
from audit_pipeline.model.outputs import check_output
from audit_pipeline.model.source import SourceModel

NOTHING = Split(np.zeros((1, 8), np.float32), np.zeros(1, np.int64), {}, None)


def check(output: tuple[int, ...], classes: int = 0, **said: Any) -> None:
    part = SourcePart(
        file="m.h5", format="keras-h5", sha256="0" * 64, size_bytes=1, parameters=1, input_shape=(8, 2),
        output_shape=output, layers=(),
    )  # fmt: skip
    data = DataPart(
        name="d", description="d", source="s", synthetic=True, sha256="0" * 64, alarm_classes=(), splits=(),
        classes=tuple("abcdefgh"[:classes]), **said,
    )  # fmt: skip
    check_output(SourceModel(Path("m.h5"), part), Population(data, NOTHING, NOTHING, NOTHING))


AUTOENCODER = {"task": "anomaly", "threshold": 1.0, "score": "reconstruction_error"}


@pytest.mark.parametrize(
    ("output", "classes", "said"),
    [
        ((3,), 3, {}),
        ((1,), 2, {}),
        ((1,), 2, {"task": "anomaly", "threshold": 1.0}),
        ((8, 2), 2, AUTOENCODER),
        ((1,), 0, {"task": "regression"}),
    ],
)
def test_outputs_that_fit(output: tuple[int, ...], classes: int, said: dict[str, Any]) -> None:
    check(output, classes, **said)


@pytest.mark.parametrize(
    ("output", "classes", "said", "what"),
    [
        ((4,), 3, {}, "gives 4 scores, the data set has 3 classes"),
        ((1,), 3, {}, "gives 1 scores, the data set has 3 classes"),
        ((2,), 2, {"task": "anomaly", "threshold": 1.0}, "gives 2 values a row, but the task is anomaly, which needs"),
        ((8, 2), 2, {"task": "anomaly", "threshold": 1.0}, "gives 8×2 values a row"),
        ((1,), 2, AUTOENCODER, "gives 1 values for a row of 8×2; a reconstruction error needs the input given back"),
        ((16,), 2, AUTOENCODER, "gives 16 values for a row of 8×2"),
        ((3,), 0, {"task": "regression"}, "gives 3 values a row, but the task is regression, which needs one"),
    ],
)
def test_outputs_that_do_not_fit_are_named_with_what_would(
    output: tuple[int, ...], classes: int, said: dict[str, Any], what: str
) -> None:
    with pytest.raises(InputError) as caught:
        check(output, classes, **said)
    assert (caught.value.code, caught.value.where) == ("model.output-shape", "m.h5")
    assert what in caught.value.what
    assert caught.value.hint
