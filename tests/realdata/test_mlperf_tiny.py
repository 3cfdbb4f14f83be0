"""The reference models of MLPerf Tiny go through compress and inspect as a user would type them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit_pipeline.cli.main import main
from audit_pipeline.compress.repack import repack
from audit_pipeline.device.interpreters import litert_reference, tflite_micro
from audit_pipeline.device.interpreters import run as run_rows
from audit_pipeline.progress import silent
from audit_pipeline.tflite import read_graph

MODELS = Path(__file__).parents[3] / "shared" / "data" / "mlperf-tiny"
PUBLISHED_INT8_BYTES = {"ad01.h5": 276_976, "vww_96.h5": 333_288, "pretrainedResnet.h5": 98_496}
LARGEST = "vww_96.h5"

pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason=f"{MODELS} is not there")


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    with pytest.raises(SystemExit) as caught:
        main([*arguments, "--json"])
    assert isinstance(caught.value.code, int)
    return caught.value.code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.bench] if name == LARGEST else []) for name in PUBLISHED_INT8_BYTES]
)
def test_a_reference_model_is_compressed_and_described(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The largest, which takes as long as the other two together, by `make bench-tests`."""
    output = tmp_path / "model.tflite"
    code, made = run(["compress", str(MODELS / name), "--random-calibration", "-o", str(output)], capsys)
    footprint = made["footprint"]
    assert code == 0
    assert all(operator["supported"] for operator in footprint["operators"])
    assert footprint["arena_bytes"] < 128 * 1024
    assert made["candidate"]["size_bytes"] == output.stat().st_size
    # Another converter gives the autoencoder's weights one scale per unit, which costs 3 % there.
    assert output.stat().st_size < 1.05 * PUBLISHED_INT8_BYTES[name]

    code, described = run(["inspect", str(output)], capsys)
    assert code == 0
    assert described["device"]["arena_bytes"] == footprint["arena_bytes"]
    assert described["device"]["macs"] == footprint["macs"] > 0

    code, source = run(["inspect", str(MODELS / name)], capsys)
    assert code == 0
    assert source["format"] == "keras-h5"
    assert source["input_shape"] == described["input_shape"]


@pytest.mark.parametrize("name", ["ad01_int8.tflite", "vww_96_int8.tflite", "pretrainedResnet_quant.tflite"])
def test_a_published_model_repacked_is_smaller_and_gives_the_same_bytes(name: str) -> None:
    before = (MODELS / name).read_bytes()
    after = repack(before)
    assert len(after) < len(before)
    shape = read_graph(after).main.tensors[read_graph(after).main.inputs[0]].shape
    q = np.random.default_rng(0).integers(-128, 128, (3, *shape[1:])).astype(np.int8)
    for kernels in (tflite_micro, litert_reference):
        np.testing.assert_array_equal(run_rows(kernels(after), q, "", silent), run_rows(kernels(before), q, "", silent))
