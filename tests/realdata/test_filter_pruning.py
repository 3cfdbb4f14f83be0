"""Reference models and the ECG example's lose 30 % of their filters, and answer as if nothing listened to these."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audit_pipeline.compress.convert import convert
from audit_pipeline.compress.neurons.channels import wire
from audit_pipeline.compress.neurons.choice import choose
from audit_pipeline.compress.neurons.magnitude import magnitudes
from audit_pipeline.compress.neurons.mask import masked
from audit_pipeline.compress.neurons.surgery import without
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.load import load_keras
from audit_pipeline.model.runtime import keras_runtime
from audit_pipeline.progress import silent

REPOSITORY = Path(__file__).parents[2]
MODELS = REPOSITORY.parent / "shared" / "data" / "mlperf-tiny"
# Sizes of the int8 models as mlcommons/tiny publishes them, and of the ECG example's as this project makes it.
INT8_BYTES = {
    MODELS / "ad01.h5": 276_976,
    MODELS / "vww_96.h5": 333_288,
    MODELS / "pretrainedResnet.h5": 98_496,
    REPOSITORY / "examples" / "ecg" / "model.h5": 27_024,
}
LARGEST = "vww_96.h5"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.name, marks=[pytest.mark.bench] if path.name == LARGEST else [])
        for path in INT8_BYTES
    ],
)
def test_thirty_percent_of_the_filters_go_and_flash_shrinks_by_a_quarter(path: Path) -> None:
    """The largest, which takes as long as the other three together, by `make bench-tests`."""
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    keras_runtime(0)
    model = load_keras(inspect_model(path))
    wiring = wire(model)
    gone = choose(wiring, magnitudes(wiring), 0.3, "layer")
    smaller = without(model, wiring, gone)
    rows = np.random.default_rng(0).standard_normal((20, *model.input_shape[1:]), dtype=np.float32)
    expected = masked(model, wiring, gone).predict(rows, verbose=0)
    scale = max(1.0, np.abs(expected).max())  # the autoencoder gives values up to 30
    assert smaller.predict(rows, verbose=0) / scale == pytest.approx(expected / scale, abs=1e-5)
    assert len(convert(smaller, rows, "int8", silent)) < 0.75 * INT8_BYTES[path]
