"""Models that Keras 3 saved, and models with several inputs, from the file to the sealed image."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_world import MANIFEST, POLICY, World, carry_out

from audit_pipeline.errors import InputError
from audit_pipeline.evidence import InputPart
from audit_pipeline.inputs import read_inputs
from audit_pipeline.model.load import load_keras
from audit_pipeline.model.predict import predict_float
from audit_pipeline.predictions_file import load_predictions
from audit_pipeline.ship import Shipped

TRAINS = """\
    - prune_weights: {sparsity: 0.3, epochs: 1, schedule: constant}
    - quantize"""


@pytest.fixture(scope="module")
def models(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two Keras 3 models; the world's rows, with an age and a level for each person, lie in `two`."""
    (world.folder / "two").mkdir()
    random = np.random.default_rng(6)
    for split in ("train", "calibration", "evaluation"):
        arrays = dict(np.load(world.folder / f"{split}.npz"))
        rows = len(arrays["y"])
        arrays |= {"age": random.uniform(0, 1, rows), "level": arrays["y"] * 0.5 + random.normal(0, 0.5, rows)}
        np.savez(world.folder / "two" / f"{split}.npz", **arrays)
    several = MANIFEST.replace("features: x", "features: {tone: x, person: [age, level]}\nshape: {tone: [24, 1]}")
    (world.folder / "two" / "dataset.yaml").write_text(several)
    folder = tmp_path_factory.mktemp("models")
    script = Path(__file__).with_name("keras3_models.py")
    command = [sys.executable, script, world.folder / "two" / "train.npz", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def policy(world: World, name: str, text: str) -> Path:
    path = world.folder / f"{name}.yaml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def two(world: World, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """The model with two inputs, pruned and attacked."""
    text = POLICY.replace("dataset.yaml", "two/dataset.yaml").replace("    - quantize", TRAINS)
    text = text.replace(
        "- {attack: blob_scan}", "- {attack: blob_scan}\n  - {attack: membership, max_tpr: 0.5, fpr: 0.1}"
    )
    request = world.request("two", tmp_path_factory.mktemp("two"))
    return carry_out(replace(request, model=models / "two.h5", policy=policy(world, "two-inputs", text)))


def test_a_keras_3_model_is_pruned_and_sealed(world: World, models: Path, tmp_path: Path) -> None:
    text = POLICY.replace("    - quantize", TRAINS)
    request = replace(world.request("keras3", tmp_path), model=models / "one.keras", policy=policy(world, "k3", text))
    shipped = carry_out(request)
    assert shipped.evidence.verdict.outcome == "PASS", shipped.evidence.verdict.reasons
    assert (shipped.folder / "firmware.bin").exists()
    source = shipped.evidence.source
    assert (source.format, source.input_shape, source.inputs) == ("keras-zip", (24, 1), ())
    notes = shipped.evidence.candidate.steps[0].notes
    assert any("the loss the model was compiled with" in note for note in notes)


def test_a_model_with_two_inputs_is_sealed(two: Shipped) -> None:
    assert two.evidence.verdict.outcome == "PASS", two.evidence.verdict.reasons
    inputs = (InputPart(name="tone", shape=(24, 1)), InputPart(name="person", shape=(2,)))
    assert two.evidence.source.inputs == two.evidence.data.inputs == inputs
    assert two.evidence.source.input_shape == (26,)
    assert two.evidence.blob_scan is not None
    assert two.evidence.blob_scan.training_rows > 0
    assert {part.model for part in two.evidence.membership} == {"float", "device"}


def test_the_device_gives_the_float_models_answers_to_two_inputs(world: World, models: Path, two: Shipped) -> None:
    inputs = read_inputs(models / "two.h5", world.folder / "two-inputs.yaml", None)
    x = inputs.population.evaluation.x
    alone = load_keras(inputs.source).predict_on_batch([x[:, :24, None], x[:, 24:]])
    before = predict_float(inputs.source, x, inputs.population.reading).scores
    np.testing.assert_allclose(before, alone, atol=1e-6)
    after = load_predictions(two.folder / "predictions.npz").predictions.scores
    assert np.abs(after - before).mean() < 0.05


def test_a_finished_tflite_with_two_inputs_is_judged_against_its_float_model(
    world: World, models: Path, two: Shipped, tmp_path: Path
) -> None:
    request = world.request("finished", tmp_path)
    request = replace(
        request, model=two.folder / "model.tflite", baseline=models / "two.h5", policy=world.folder / "two-inputs.yaml"
    )
    finished = carry_out(request).evidence
    assert finished.source.inputs == two.evidence.source.inputs
    assert finished.groups == two.evidence.groups


def test_inputs_in_another_order_are_refused_with_the_right_one(world: World, models: Path) -> None:
    manifest = (world.folder / "two" / "dataset.yaml").read_text()
    (world.folder / "two" / "turned.yaml").write_text(
        manifest.replace("{tone: x, person: [age, level]}", "{person: [age, level], tone: x}")
    )
    turned = policy(world, "turned", POLICY.replace("dataset.yaml", "two/turned.yaml"))
    with pytest.raises(InputError) as caught:
        read_inputs(models / "two.h5", turned, None)
    assert caught.value.code == "model.inputs"
    assert "features: {tone: …, person: …}" in str(caught.value.hint)
