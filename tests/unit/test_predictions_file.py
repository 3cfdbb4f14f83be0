"""predictions.npz comes back as it was kept, and nothing else is taken for one."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from audit_pipeline.errors import InputError
from audit_pipeline.predictions import Predictions, Score, Task
from audit_pipeline.predictions_file import KeptPredictions, load_predictions, predictions_to_npz
from audit_pipeline.run_folder import way_to

ABOUT = (
    b'{"made_by":"float","manifest":"a/d.yaml","score":"output","step":0.0,"task":"anomaly","threshold":1.0,'
    b'"version":1}'
)


def archive(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def about(raw: bytes = ABOUT) -> np.ndarray:
    return np.frombuffer(raw, dtype=np.uint8)


@pytest.mark.parametrize(
    "predictions",
    [
        Predictions(np.float32([[0.25, 0.75], [1, 0]]), 1 / 256, "litert-reference"),
        Predictions(np.float32([[3.5], [-0.5]]), 0.0, "tflite-micro", Task.ANOMALY, 2.5, Score.RECONSTRUCTION_ERROR),
        Predictions(np.float32([[71.5]]), 0.1, "tflite-micro", Task.REGRESSION),
    ],
    ids=["classes", "anomaly", "regression"],
)
@pytest.mark.parametrize("manifest", ["../../data/dataset.yaml", None])
def test_it_comes_back_to_the_bit(predictions: Predictions, manifest: str | None, tmp_path: Path) -> None:
    kept = KeptPredictions(predictions, manifest)
    path = tmp_path / "predictions.npz"
    path.write_bytes(predictions_to_npz(kept))
    back = load_predictions(path)
    assert back.manifest == manifest
    assert back.predictions.scores.dtype == np.float32
    assert np.array_equal(back.predictions.scores, predictions.scores)
    assert (back.predictions.step, back.predictions.made_by) == (predictions.step, predictions.made_by)
    assert (back.predictions.task, back.predictions.score) == (predictions.task, predictions.score)
    assert back.predictions.threshold == predictions.threshold
    assert predictions_to_npz(back) == path.read_bytes()


def test_a_run_without_one_is_told_apart_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_predictions(tmp_path / "predictions.npz")
    assert caught.value.code == "predictions.missing"


SCORES = np.float32([[0.1], [0.2]])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"PK\x03\x04 not really",
        archive(scores=SCORES),
        archive(scores=SCORES, about=about(), person=np.array(["p1", "p2"])),
        archive(scores=SCORES.astype(np.float64), about=about()),
        archive(scores=SCORES[0], about=about()),
        archive(scores=np.array([[{}], [1]], dtype=object), about=about()),
        archive(scores=np.float32([[0.1], [np.nan]]), about=about()),
        archive(scores=np.float32([[np.inf], [0.1]]), about=about()),
        archive(scores=SCORES, about=about(b"{}")),
        archive(scores=SCORES, about=about(b"not JSON")),
        archive(scores=SCORES, about=about(ABOUT.replace(b"a/d.yaml", b"/etc/x"))),
        archive(scores=SCORES, about=about(ABOUT.replace(b"anomaly", b"guessing"))),
        archive(scores=SCORES, about=about(ABOUT.replace(b"0.0", b"NaN"))),
        archive(scores=SCORES, about=about(ABOUT.replace(b'"version":1', b'"version":2'))),
        archive(scores=SCORES, about=about())[:-40],
    ],
)
def test_anything_else_is_refused(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "predictions.npz"
    path.write_bytes(raw)
    with pytest.raises(InputError) as caught:
        load_predictions(path)
    assert caught.value.code == "predictions.damaged"
    assert caught.value.where == str(path)


def test_the_way_to_the_manifest_is_relative_and_tells_nothing_of_the_machine(tmp_path: Path) -> None:
    assert way_to(tmp_path / "data" / "d.yaml", tmp_path / "reports" / "run") == "../../data/d.yaml"
    assert way_to(tmp_path / "d.yaml", Path("/nowhere/reports/run")) is None
