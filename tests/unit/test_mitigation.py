from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from human_answers import human_centred

import audit_pipeline.mitigation
from audit_pipeline.answers import answers
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.outputs import coarser, unprotected
from audit_pipeline.compress.recipe import compress
from audit_pipeline.data.population import Population
from audit_pipeline.device.arena import Trial
from audit_pipeline.errors import InputError
from audit_pipeline.findings import GroupRow
from audit_pipeline.inputs import Inputs
from audit_pipeline.measurement import Measured
from audit_pipeline.memory import Memory
from audit_pipeline.mitigation import mitigations
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.load import load_policy
from audit_pipeline.policy.protection import Outputs
from audit_pipeline.predictions import Predictions
from audit_pipeline.privacy_part import MitigationPart
from audit_pipeline.progress import silent

POLICY = (
    """\
version: 1
name: tones
"""
    + human_centred("high")
    + """\
data: {manifest: data/set.yaml}
target: {board: rp2040}
fairness:
  - {metric: recall, class: high, min: 0.5, groups: [group]}
privacy:
"""
)
MEMBERSHIP = "  - {attack: membership, max_tpr: 0.5}\n"
SCAN = "  - {attack: blob_scan}\n"
NOWHERE = Memory(None)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the child process that would find out what is known here: such models run."""
    tried = Trial(frozenset(), 1, "")
    monkeypatch.setattr(audit_pipeline.mitigation, "try_in_tflite_micro", lambda _: tried)


def world(folder: Path, source: SourceModel, population: Population, recipe: str, rule: str = MEMBERSHIP) -> Inputs:
    path = folder / "fair.yaml"
    path.write_text(f"{POLICY}{rule}compress: {{seed: 5, recipe: [{recipe}]}}\n", encoding="utf-8")
    return Inputs(load_policy(path), population, source, None)


def said_by(candidate: Candidate, inputs: Inputs) -> Predictions:
    return answers(inputs, candidate, inputs.population.evaluation, "evaluation", silent).after


def shipped(inputs: Inputs) -> tuple[Candidate, Predictions]:
    section = inputs.policy.value.compress
    assert section is not None
    candidate = compress(inputs.source, section, inputs.population.development)
    return candidate, said_by(candidate, inputs)


def accuracy(row: GroupRow, side: str) -> float:
    [found] = [getattr(each, side) for each in row.metrics if each.metric.name == "accuracy"]
    assert isinstance(found, Measured)
    return found.estimate


def right(predictions: Predictions, inputs: Inputs) -> float:
    return float((predictions.labels == inputs.population.evaluation.y).mean())


def test_a_recipe_that_protects_nobody_has_nothing_to_compare(
    tmp_path: Path, source: SourceModel, population: Population, candidate: Candidate
) -> None:
    inputs = world(tmp_path, source, population, "{quantize: {calibration_rows: 60}}")
    after = said_by(candidate, inputs)
    assert mitigations(inputs, candidate, after, silent, NOWHERE) == ()


def test_private_training_and_rounding_are_each_compared_with_their_absence(
    tmp_path: Path, source: SourceModel, population: Population, candidate: Candidate
) -> None:
    recipe = (
        "{train_private: {epochs: 2, learning_rate: 0.01, batch_size: 64, noise: 1.0, delta: 0.001}}, "
        "{quantize: {calibration_rows: 60, outputs: {round: 1}}}"
    )
    inputs = world(tmp_path, source, population, recipe)
    made, after = shipped(inputs)
    private, rounded = mitigations(inputs, made, after, silent, NOWHERE)

    assert (private.technique, private.settings["noise"], private.reason) == ("train_private", 1.0, None)
    overall = private.groups[0]
    plain = said_by(replace(candidate, tflite=coarser(candidate.tflite, Outputs(round=1))[0]), inputs)
    assert accuracy(overall, "before") == right(plain, inputs)
    assert accuracy(overall, "after") == right(after, inputs)
    assert {(row.group.by, row.group.values) for row in private.groups} >= {(("group",), ("a",)), (("group",), ("b",))}

    assert (rounded.technique, rounded.settings) == ("output rounding", {"round": 1})
    finer = said_by(replace(made, tflite=unprotected(made.tflite)), inputs)
    assert accuracy(rounded.groups[0], "before") == right(finer, inputs)
    assert accuracy(rounded.groups[0], "after") == right(after, inputs)


@pytest.mark.usefixtures("runs")
def test_the_top_class_alone_costs_no_class(
    tmp_path: Path, source: SourceModel, population: Population, candidate: Candidate
) -> None:
    inputs = world(tmp_path, source, population, "{quantize: {calibration_rows: 60, outputs: {top: 1}}}", SCAN)
    made = replace(candidate, tflite=coarser(candidate.tflite, Outputs(top=1))[0])
    [part] = mitigations(inputs, made, said_by(made, inputs), silent, NOWHERE)
    assert (part.technique, part.settings) == ("the top class alone", {"top": 1})
    assert all(accuracy(row, "before") == accuracy(row, "after") for row in part.groups)


RESTRAINED = "{fine_tune: {epochs: 1, patience: 1, label_smoothing: 0.2, weight_decay: 0.1}}, {quantize: {}}"


@pytest.mark.usefixtures("runs")
def test_regularisation_counts_where_the_policy_asks_what_is_given_away(
    tmp_path: Path,
    source: SourceModel,
    population: Population,
    candidate: Candidate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[dict[str, Any]] = []

    def made(_: Any, section: Any, *__: Any, **___: Any) -> Candidate:
        asked.append(section.recipe[0].fine_tune.model_dump())
        return candidate

    inputs = world(tmp_path, source, population, RESTRAINED)
    after = said_by(candidate, inputs)
    monkeypatch.setattr(audit_pipeline.mitigation, "compress", made)
    [part] = mitigations(inputs, candidate, after, silent, NOWHERE)
    assert part.technique == "regularisation of fine_tune"
    assert part.settings == {"patience": 1, "label_smoothing": 0.2, "weight_decay": 0.1}
    plain = {"patience": None, "label_smoothing": 0.0, "weight_decay": 0.0, "average": False, "epochs": 1}
    assert asked[0] | plain == asked[0]
    elsewhere = world(tmp_path, source, population, RESTRAINED, SCAN)
    assert mitigations(elsewhere, candidate, after, silent, NOWHERE) == ()


@pytest.mark.usefixtures("runs")
def test_what_was_made_once_is_remembered(
    tmp_path: Path,
    source: SourceModel,
    population: Population,
    candidate: Candidate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = "{train_private: {epochs: 1, batch_size: 100, noise: 1.0, delta: 0.001}}, {quantize: {}}"
    inputs = world(tmp_path, source, population, recipe)
    after = said_by(candidate, inputs)
    memory = Memory(tmp_path)
    first = mitigations(inputs, candidate, after, silent, memory)

    def never(*_: Any, **__: Any) -> Candidate:
        raise AssertionError("it was made before")

    monkeypatch.setattr(audit_pipeline.mitigation, "compress", never)
    assert mitigations(inputs, candidate, after, silent, memory) == first


def test_what_cannot_be_made_has_its_reason(
    tmp_path: Path,
    source: SourceModel,
    population: Population,
    candidate: Candidate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inputs = world(tmp_path, source, population, RESTRAINED)
    after = said_by(candidate, inputs)

    def fails(*_: Any, **__: Any) -> Candidate:
        raise InputError("compress.diverged", "training ended in NaN weights")

    monkeypatch.setattr(audit_pipeline.mitigation, "compress", fails)
    [part] = mitigations(inputs, candidate, after, silent, NOWHERE)
    assert isinstance(part, MitigationPart)
    assert part.groups == ()
    assert part.reason is not None
    assert "NaN weights" in part.reason


def test_what_the_device_cannot_run_has_its_reason(
    tmp_path: Path,
    source: SourceModel,
    population: Population,
    candidate: Candidate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inputs = world(tmp_path, source, population, "{quantize: {outputs: {round: 4}}}")
    made = replace(candidate, tflite=coarser(candidate.tflite, Outputs(round=4))[0])
    after = said_by(made, inputs)
    tried = Trial(frozenset({"FLOOR"}), None, "no kernel for FLOOR")
    monkeypatch.setattr(audit_pipeline.mitigation, "try_in_tflite_micro", lambda _: tried)
    [part] = mitigations(inputs, made, after, silent, NOWHERE)
    assert part.groups == ()
    assert part.reason is not None
    assert "no kernel for FLOOR" in part.reason
