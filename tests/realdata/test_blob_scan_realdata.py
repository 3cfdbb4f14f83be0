"""Published int8 models hold nothing that the search takes for a leak, and their ends are found to the byte."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audit_pipeline.data.population import Split
from audit_pipeline.privacy.blob_scan import scan
from audit_pipeline.privacy.opened.flatbuffer import walk
from audit_pipeline.tflite import Tensor

MODELS = Path(__file__).resolve().parents[3] / "shared" / "data" / "mlperf-tiny"

pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason="the MLPerf Tiny models are not beside the repository")


@pytest.mark.parametrize("name", ["ad01_int8", "pretrainedResnet_quant", "vww_96_int8"])
def test_a_published_model_is_clean(name: str) -> None:
    blob = (MODELS / f"{name}.tflite").read_bytes()
    x = np.cumsum(np.random.default_rng(0).normal(0, 0.3, (5000, 256)), axis=1).astype(np.float32)
    entrance = Tensor("input", (1, 256), "INT8", (0.05,), (-1,), is_constant=False)
    found = scan(blob, Split(x, np.zeros(5000, dtype=np.int64), {}, None), (entrance,))
    assert found.hits == ()
    assert walk(blob).end == len(blob)
