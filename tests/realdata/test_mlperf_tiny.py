"""The reference models of MLPerf Tiny go through compress and inspect as a user would type them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from audit_pipeline.cli.main import main

MODELS = Path(__file__).parents[3] / "shared" / "data" / "mlperf-tiny"
PUBLISHED_INT8_BYTES = {"ad01.h5": 276_976, "vww_96.h5": 333_288, "pretrainedResnet.h5": 98_496}

pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason=f"{MODELS} is not there")


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    with pytest.raises(SystemExit) as caught:
        main([*arguments, "--json"])
    assert isinstance(caught.value.code, int)
    return caught.value.code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", PUBLISHED_INT8_BYTES)
def test_a_reference_model_is_compressed_and_described(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "model.tflite"
    code, made = run(["compress", str(MODELS / name), "--random-calibration", "-o", str(output)], capsys)
    footprint = made["footprint"]
    assert code == 0
    assert all(operator["supported"] for operator in footprint["operators"])
    assert footprint["arena_bytes"] < 128 * 1024
    assert made["candidate"]["size_bytes"] == output.stat().st_size
    # Other converters, other folding: the published files are the yardstick, not the target.
    assert output.stat().st_size == pytest.approx(PUBLISHED_INT8_BYTES[name], rel=0.2)

    code, described = run(["inspect", str(output)], capsys)
    assert code == 0
    assert described["device"]["arena_bytes"] == footprint["arena_bytes"]
    assert described["device"]["macs"] == footprint["macs"] > 0

    code, source = run(["inspect", str(MODELS / name)], capsys)
    assert code == 0
    assert source["format"] == "keras-h5"
    assert source["input_shape"] == described["input_shape"]
