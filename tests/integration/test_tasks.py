"""Anomaly scores and regressions go through every stage: read, pruned, quantized, predicted, attacked."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, recall_score, roc_auc_score
from task_worlds import WORLDS, Built, build

from audit_pipeline.compress.recipe import from_tflite
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.device.interpreters import run, tflite_micro
from audit_pipeline.device.kernels import predict_device
from audit_pipeline.diff import diff
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import KernelCheck
from audit_pipeline.inputs import read_inputs
from audit_pipeline.measurement import GroupKey, Measured, Outcome
from audit_pipeline.model.predict import predict_float
from audit_pipeline.predictions import Predictions
from audit_pipeline.privacy.membership import membership
from audit_pipeline.progress import silent
from audit_pipeline.quantization import dequantize_output, quantize_input
from audit_pipeline.report.diff_markdown import render_diff_markdown
from audit_pipeline.ship import Shipped
from audit_pipeline.tflite import read_graph

Answers = dict[str, tuple[Predictions, Predictions, KernelCheck]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Built]:
    return {world.name: build(world, tmp_path_factory.mktemp(world.name)) for world in WORLDS}


@pytest.fixture(scope="module")
def answers(built: dict[str, Built]) -> Answers:
    """Float model, device and kernel check on the evaluation split."""
    told: Answers = {}
    for name, world in built.items():
        population = world.inputs.population
        x = population.evaluation.x
        before = predict_float(world.inputs.source, x, population.reading)
        sample = stratified_sample(population.evaluation, 40, 0)
        after, check = predict_device(world.candidate, x, sample, population.reading)
        told[name] = (before, after, check)
    return told


@pytest.mark.parametrize("name", [world.name for world in WORLDS])
def test_predictions_know_their_task(name: str, built: dict[str, Built], answers: Answers) -> None:
    population = built[name].inputs.population
    for predictions in answers[name][:2]:
        assert predictions.scores.shape == (len(population.evaluation), 1)
        assert predictions.scores.dtype == np.float32
        assert predictions.task is population.task
        assert predictions.threshold == population.threshold
    assert answers[name][2].sample_rows == 40


def test_a_regression_in_int8_is_a_few_steps_off_the_float_model_and_near_the_truth(
    built: dict[str, Built], answers: Answers
) -> None:
    before, after, _ = answers["regression"]
    target = built["regression"].inputs.population.evaluation.target
    assert target is not None
    assert before.step == 0.0
    assert 0.2 < after.step < 2  # mg/dL, of some 120
    assert np.median(np.abs(after.scores - before.scores)) < 10 * after.step
    assert np.mean(np.abs(before.scores[:, 0] - target)) < 15
    assert np.mean(np.abs(after.scores[:, 0] - target)) < 20
    np.testing.assert_allclose(after.scores / after.step, np.round(after.scores / after.step), atol=1e-3)


def test_a_linear_unit_is_a_value_and_no_logit(built: dict[str, Built]) -> None:
    source = built["regression"].inputs.source
    x = built["regression"].inputs.population.evaluation.x[:5]
    assert predict_float(source, x, built["regression"].inputs.population.reading).scores.min() > 50


@pytest.mark.parametrize("name", ["anomaly", "autoencoder"])
def test_anomalies_are_told_by_the_threshold_and_alike_on_the_device(
    name: str, built: dict[str, Built], answers: Answers
) -> None:
    before, after, _ = answers[name]
    y = built[name].inputs.population.evaluation.y
    assert 0.7 < np.mean(before.labels == y) < 1
    assert np.mean(after.labels == before.labels) > 0.8
    np.testing.assert_array_equal(after.labels, (after.scores[:, 0] > after.threshold).astype(int))


def test_the_devices_reconstruction_error_is_firmwares(built: dict[str, Built], answers: Answers) -> None:
    """Integers in, integers out, then (output - float input)² in float32, one value after the other."""
    world = built["autoencoder"]
    x = world.inputs.population.evaluation.x[:20]
    graph = read_graph(world.candidate.tflite).main
    entrance, exit_ = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    outputs = run(tflite_micro(world.candidate.tflite), quantize_input(x, entrance), "", silent)
    for row, given, score in zip(dequantize_output(outputs, exit_), x, answers["autoencoder"][1].scores, strict=False):
        total = np.float32(0)
        for out, value in zip(row, given, strict=True):
            total += (out - value) * (out - value)
        assert score[0] == pytest.approx(float(total / np.float32(len(given))), rel=1e-5)
    assert answers["autoencoder"][1].step == 0.0


@pytest.mark.parametrize(
    ("name", "loss", "rows"),
    [
        ("regression", "MeanSquaredError", "450 rows"),
        ("anomaly", "BinaryCrossentropy", "450 rows"),
        ("autoencoder", "MeanSquaredError", "rows labelled calm"),
    ],
)
def test_pruning_fine_tunes_towards_the_task(name: str, loss: str, rows: str, built: dict[str, Built]) -> None:
    step = built[name].candidate.part.steps[0]
    assert (step.technique, step.settings["loss"]) == ("prune_weights", loss)
    assert any(rows in note and "compiled with" in note for note in step.notes)


@pytest.mark.parametrize("name", [world.name for world in WORLDS])
def test_the_membership_attack_runs(name: str, built: dict[str, Built], answers: Answers) -> None:
    world = built[name]
    population = world.inputs.population
    trained = predict_float(world.inputs.source, population.train.x, population.reading)
    parts = membership(
        "float", trained, answers[name][0], population.train, population.evaluation, ["overall", "sex"], 0.1, 1, 0.95
    )
    assert {part.group.label for part in parts} == {"overall", "sex=female", "sex=male"}
    by_class = [part for part in parts if part.attack == "losses_by_class"]
    assert len(by_class) == (3 if population.classes and name != "autoencoder" else 0)
    assert all(isinstance(part.tpr, Measured) and part.tpr.estimate < 0.5 for part in parts)
    assert all(part.auc == pytest.approx(0.5, abs=0.2) for part in parts)


@pytest.mark.parametrize("name", [world.name for world in WORLDS])
def test_a_finished_tflite_of_the_task_is_taken(
    name: str, built: dict[str, Built], answers: Answers, tmp_path: Path
) -> None:
    world = built[name]
    path = tmp_path / "model.tflite"
    path.write_bytes(world.candidate.tflite)
    inputs = read_inputs(path, world.folder / "policy.yaml", world.folder / "model.h5")
    population = inputs.population
    after, _ = predict_device(
        from_tflite(inputs.source), population.evaluation.x[:50], np.arange(5), population.reading
    )
    np.testing.assert_array_equal(after.scores, answers[name][1].scores[:50])


@pytest.mark.parametrize(
    ("world", "model", "what"),
    [
        ("regression", "autoencoder", "gives 24 values a row, but the task is regression, which needs one"),
        ("anomaly", "autoencoder", "gives 24 values a row, but the task is anomaly, which needs one"),
        ("autoencoder", "anomaly", "a reconstruction error needs the input given back"),
    ],
)
@pytest.mark.parametrize("finished", [False, True])
def test_a_model_of_another_task_is_refused_before_any_work(
    world: str, model: str, what: str, finished: bool, built: dict[str, Built], tmp_path: Path
) -> None:
    path = tmp_path / ("model.tflite" if finished else "model.h5")
    if finished:
        path.write_bytes(built[model].candidate.tflite)
    else:
        shutil.copy(built[model].folder / "model.h5", path)
    with pytest.raises(InputError) as caught:
        read_inputs(path, built[world].folder / "policy.yaml", None)
    assert (caught.value.code, caught.value.where) == ("model.output-shape", str(path))
    assert what in caught.value.what
    assert caught.value.hint


@pytest.fixture(scope="module")
def shipped(built: dict[str, Built]) -> dict[str, Shipped]:
    """Each world's run."""
    return {name: world.run for name, world in built.items()}


@pytest.mark.parametrize("name", [world.name for world in WORLDS])
def test_a_run_of_the_task_comes_to_a_verdict_and_a_report(name: str, shipped: dict[str, Shipped]) -> None:
    evidence, folder = shipped[name].evidence, shipped[name].folder
    assert evidence.verdict.outcome is Outcome.PASS
    assert {finding.stage for finding in evidence.findings} == {"device", "fairness", "privacy"}
    assert evidence.kernels is not None
    assert {part.model for part in evidence.membership} == {"float", "device"}
    assert {"report.html", "report.md", "evidence.json", "predictions.npz"} <= {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("name", [world.name for world in WORLDS])
def test_two_runs_of_the_task_can_be_compared(name: str, shipped: dict[str, Shipped]) -> None:
    same = diff(shipped[name].folder, shipped[name].folder)
    assert same.undecided == same.compared > 0
    assert (same.exemplars is None) == (name == "regression")
    assert render_diff_markdown(same).startswith("## NO SURE CHANGE")


def test_what_the_run_says_of_a_regression_is_scikit_learns(
    built: dict[str, Built], answers: Answers, shipped: dict[str, Shipped]
) -> None:
    split = built["regression"].inputs.population.evaluation
    assert split.target is not None
    for by in (None, "female", "male"):
        rows = np.ones(len(split), bool) if by is None else split.groups["sex"] == by
        before, after = (
            mean_absolute_error(split.target[rows], each.scores[rows, 0]) for each in answers["regression"][:2]
        )
        assert measured(shipped["regression"], "mae", by) == pytest.approx((before, after), rel=1e-6)


@pytest.mark.parametrize("name", ["anomaly", "autoencoder"])
def test_what_the_run_says_of_an_anomaly_is_scikit_learns(
    name: str, built: dict[str, Built], answers: Answers, shipped: dict[str, Shipped]
) -> None:
    split = built[name].inputs.population.evaluation
    for by in (None, "female", "male"):
        rows = np.ones(len(split), bool) if by is None else split.groups["sex"] == by
        y, sides = split.y[rows], answers[name][:2]
        missed = tuple(1 - recall_score(y, each.labels[rows]) for each in sides)
        false = tuple(1 - recall_score(y, each.labels[rows], pos_label=0) for each in sides)
        area = tuple(roc_auc_score(y, each.scores[rows, 0]) for each in sides)
        assert measured(shipped[name], "missed_alarm_rate", by) == pytest.approx(missed, rel=1e-6)
        assert measured(shipped[name], "false_alarm_rate", by) == pytest.approx(false, rel=1e-6)
        assert measured(shipped[name], "auc", by) == pytest.approx(area, rel=1e-6)
        hours = rows.sum() * 2 / 3600
        alarms = tuple(np.sum(each.labels[rows] * (y == 0)) / hours for each in sides)
        assert measured(shipped[name], "false_alarms_per_hour", by) == pytest.approx(alarms, rel=1e-6)


def measured(run: Shipped, metric: str, sex: str | None) -> tuple[float, float]:
    """Before and after of a metric in the run's table; `sex` None is everybody."""
    key = GroupKey() if sex is None else GroupKey(by=("sex",), values=(sex,))
    row = next(row for row in run.evidence.groups if row.group == key)
    found = next(each for each in row.metrics if each.metric.name == metric)
    assert isinstance(found.before, Measured)
    assert isinstance(found.after, Measured)
    return found.before.estimate, found.after.estimate
