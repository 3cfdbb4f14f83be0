from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.recipe import compress, compress_on, from_tflite, random_rows, shape
from audit_pipeline.data.population import Population
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.errors import InputError
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.runtime import keras, quiet
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.recipe import Compress
from audit_pipeline.tflite import read_graph

PRUNE_HARD = Compress.model_validate(
    {
        "recipe": ({"prune_weights": {"sparsity": 0.8, "epochs": 2, "batch_size": 64}}, {"quantize": {}}),
        "seed": 9,
    }
)


@pytest.fixture(scope="module")
def pruned_and_told(source: SourceModel, population: Population) -> tuple[Candidate, dict[str, list[float]]]:
    """A pruned candidate, and what was told of its progress."""
    told: dict[str, list[float]] = {}
    made = compress(source, PRUNE_HARD, population, lambda step, done: told.setdefault(step, []).append(done))
    return made, told


@pytest.fixture(scope="module")
def pruned(pruned_and_told: tuple[Candidate, dict[str, list[float]]]) -> Candidate:
    return pruned_and_told[0]


def test_the_candidate_is_int8_throughout_with_a_batch_of_one(candidate: Candidate) -> None:
    graph = read_graph(candidate.tflite).main
    ends = [graph.tensors[index] for index in (*graph.inputs, *graph.outputs)]
    assert [(tensor.dtype, tensor.shape) for tensor in ends] == [("INT8", (1, 20, 1)), ("INT8", (1, 3))]
    assert {tensor.dtype for tensor in graph.tensors} <= {"INT8", "INT32"}


def test_the_part_describes_the_bytes(candidate: Candidate) -> None:
    assert candidate.part.sha256 == sha256_hex(candidate.tflite)
    assert candidate.part.size_bytes == len(candidate.tflite) > candidate.part.zipped_bytes
    assert candidate.part.seed == 5
    assert candidate.part.steps[0].settings["calibration_rows"] == 60


def test_equal_inputs_give_equal_bytes_in_one_process(
    source: SourceModel, population: Population, pruned: Candidate, candidate: Candidate, quantize_only: Compress
) -> None:
    assert compress(source, quantize_only, population).tflite == candidate.tflite
    assert compress(source, PRUNE_HARD, population).tflite == pruned.tflite


def test_equal_inputs_give_equal_bytes_in_another_process(
    source: SourceModel, population: Population, pruned: Candidate, tmp_path: Path
) -> None:
    inputs = tmp_path / "inputs"
    inputs.write_bytes(pickle.dumps((source, PRUNE_HARD, population)))
    script = (
        "import pickle, sys\nfrom pathlib import Path\nfrom audit_pipeline.compress.recipe import compress\n"
        "print(compress(*pickle.loads(Path(sys.argv[1]).read_bytes())).part.sha256)"
    )
    child = subprocess.run([sys.executable, "-c", script, str(inputs)], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == pruned.part.sha256
    assert child.stderr == ""


def test_another_seed_gives_another_candidate(source: SourceModel, population: Population, pruned: Candidate) -> None:
    other = PRUNE_HARD.model_copy(update={"seed": 10})
    assert compress(source, other, population).tflite != pruned.tflite


def test_pruning_zeroes_the_share_that_was_asked_for_and_says_what_it_does_not_free(
    pruned: Candidate, candidate: Candidate
) -> None:
    step = pruned.part.steps[0]
    zeros, total = int(step.notes[0].split()[0]), int(step.notes[0].split()[2])
    assert total == 5 * 8 + 80 * 16 + 16 * 3
    assert zeros / total == pytest.approx(0.8, abs=0.01)
    assert "flash does not shrink" in step.notes[1]
    assert abs(pruned.part.size_bytes - candidate.part.size_bytes) < 100
    assert pruned.part.zipped_bytes < candidate.part.zipped_bytes
    assert step.settings["loss"] == "CategoricalCrossentropy"
    assert "compiled with" in step.notes[2]


@pytest.mark.parametrize(("schedule", "batch_size"), [("constant", 16), ("polynomial", 16), ("polynomial", 600)])
def test_both_schedules_reach_their_sparsity_in_many_steps_or_in_one(
    schedule: str, batch_size: int, source: SourceModel, population: Population
) -> None:
    step = {"sparsity": 0.5, "epochs": 1, "schedule": schedule, "batch_size": batch_size}
    section = Compress.model_validate({"recipe": ({"prune_weights": step}, {"quantize": {}})})
    note = shape(source, section, population).parts[0].notes[0]
    assert int(note.split()[0]) / int(note.split()[2]) == pytest.approx(0.5, abs=0.01)


def test_progress_covers_every_step_and_ends_at_one(
    pruned_and_told: tuple[Candidate, dict[str, list[float]]],
) -> None:
    told = pruned_and_told[1]
    assert list(told) == ["prune and fine-tune", "calibrate"]
    assert all(values == sorted(values) and values[-1] == 1.0 for values in told.values())


def test_calibration_draws_evenly_over_groups(population: Population) -> None:
    rows = stratified_sample(population.calibration, 20, 5)
    assert np.count_nonzero(population.calibration.groups["group"][rows] == "b") >= 6


def test_without_a_population_only_quantizing_works(source: SourceModel, quantize_only: Compress) -> None:
    rows = random_rows(source, 20, seed=1)
    assert rows.shape == (20, 20, 1)
    made = compress_on(source, quantize_only, rows, "of random numbers")
    assert made.part.steps[0].notes == ("calibrated on 20 rows of random numbers",)
    with pytest.raises(InputError) as caught:
        compress_on(source, PRUNE_HARD, rows, "of random numbers")
    assert caught.value.code == "compress.needs-data"
    with pytest.raises(InputError) as caught:
        compress_on(source, quantize_only, rows[:, :10], "of random numbers")
    assert caught.value.code == "model.input-shape"


def test_a_finished_model_is_taken_byte_for_byte(candidate: Candidate, source: SourceModel, tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(candidate.tflite)
    finished = inspect_model(path)
    taken = from_tflite(finished)
    assert taken.tflite == candidate.tflite
    assert taken.part.steps == ()
    path.write_bytes(candidate.tflite + b"\0")
    with pytest.raises(InputError, match="changed on disk"):
        from_tflite(finished)
    with pytest.raises(InputError, match=r"only a \.tflite"):
        from_tflite(source)


def test_layers_that_cannot_be_pruned_are_left_dense_and_named(tmp_path: Path, population: Population) -> None:
    layers = keras().layers
    model = keras().Sequential(
        [
            layers.Input((20, 1)),
            layers.Reshape((20, 1, 1)),
            layers.DepthwiseConv2D((5, 1), name="depthwise"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax", name="dense"),
        ]
    )
    with quiet():
        model.save(tmp_path / "m.h5")
    notes = shape(inspect_model(tmp_path / "m.h5"), PRUNE_HARD, population).parts[0].notes
    assert notes[0] == "38 of 48 weights in 1 layers are zero"
    assert notes[-1].endswith("does not prune them: depthwise")
    assert "without a loss" in notes[2]


def test_a_model_with_nothing_to_prune_says_so(tmp_path: Path, population: Population) -> None:
    layers = keras().layers
    model = keras().Sequential(
        [
            layers.Input((20, 1)),
            layers.Reshape((20, 1, 1)),
            layers.DepthwiseConv2D((18, 1), use_bias=False),
            layers.Flatten(),
            layers.Softmax(),
        ]
    )
    with quiet():
        model.save(tmp_path / "m.h5")
    with pytest.raises(InputError) as caught:
        compress(inspect_model(tmp_path / "m.h5"), PRUNE_HARD, population)
    assert caught.value.code == "compress.nothing-to-prune"


def test_a_model_within_a_model_is_left_dense_with_a_note(population: Population, tmp_path: Path) -> None:
    layers = keras().layers
    inner = keras().Sequential([layers.Input((20, 1)), layers.Conv1D(4, 3), layers.ReLU()], name="backbone")
    outer = keras().Sequential([layers.Input((20, 1)), inner, layers.Flatten(), layers.Dense(3, activation="softmax")])
    with quiet():
        outer.save(tmp_path / "nested.h5")
    notes = shape(inspect_model(tmp_path / "nested.h5"), PRUNE_HARD, population).parts[0].notes
    assert any("left dense" in note and "backbone" in note for note in notes)
