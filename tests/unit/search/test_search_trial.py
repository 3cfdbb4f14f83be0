"""One recipe carried out, for real: bytes, board and groups."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.compress.recipe import compress
from audit_pipeline.data.population import Population
from audit_pipeline.memory import Memory
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.boards import find_board
from audit_pipeline.policy.recipe import Compress, Search
from audit_pipeline.policy.schema import FairnessRule, Statistics
from audit_pipeline.progress import silent
from audit_pipeline.search.record import record
from audit_pipeline.search.score import examiner
from audit_pipeline.search.selection import divide
from audit_pipeline.search.space import Proposal, propose
from audit_pipeline.search.trial import Lessons, Result, Workshop
from audit_pipeline.tflite import read_graph

RULE = FairnessRule(metric="accuracy", max_drop=0.1, groups=("overall", "age"))


@pytest.fixture(scope="module")
def workshop(source: SourceModel, population: Population) -> Workshop:
    data = population.development
    examined = examiner(source, data, divide(data, 0.0, 1)[1], [RULE], Statistics(min_group_size=5), silent)
    return Workshop(source, 3, find_board("nucleo-l4r5zi"), examined, "rows", Memory(None), silent)


@pytest.fixture(scope="module")
def lessons(population: Population) -> Lessons:
    return Lessons(population.development)


@pytest.fixture(scope="module")
def pruned() -> Proposal:
    return replace(propose(Search(trials=2), ("age",), 1)[1], ratio=0.4)


@pytest.fixture(scope="module")
def lifted(workshop: Workshop, lessons: Lessons, pruned: Proposal) -> Result:
    return workshop.trial(pruned.lifted(1), lessons, 2, 1)


def test_a_trial_is_its_recipe_carried_out(workshop: Workshop, lessons: Lessons, population: Population) -> None:
    plain = propose(Search(trials=1), ("age",), 1)[0]
    result = workshop.trial(plain, lessons, 1, 4)
    expected = compress(workshop.source, Compress(recipe=plain.recipe(4), seed=3), population.development)
    assert result.candidate == expected
    assert result.made is not None and result.made.footprint.flash_bytes == len(expected.tflite)
    assert result.score is not None and result.score == workshop.examiner.score(expected, silent)


def test_an_outline_has_the_size_that_training_leaves(workshop: Workshop, lessons: Lessons, pruned: Proposal) -> None:
    outline = workshop.outline(pruned, lessons)
    trained = workshop.trial(pruned, lessons, 1, 1)
    assert outline.score is None and outline.made is not None and trained.made is not None
    assert outline.made.footprint.macs == trained.made.footprint.macs
    assert outline.made.footprint.flash_bytes == pytest.approx(trained.made.footprint.flash_bytes, rel=0.05)


def test_a_lifted_operator_is_in_int16_and_on_record(lifted: Result, population: Population) -> None:
    assert lifted.made is not None and lifted.score is not None, lifted.reason
    graph = read_graph(lifted.made.tflite).main
    assert "INT16" in {tensor.dtype for tensor in graph.tensors}
    assert not {tensor.dtype for tensor in graph.tensors} & {"FLOAT32", "FLOAT16"}
    _, selection = divide(population.development, 0.0, 1)
    number = lifted.proposal.number
    before = Proposal(0, None, 0.0, "age")
    reasons = {0: "", number: ""}
    part = record([before, lifted.proposal], {number: lifted}, reasons, lifted, [], selection, passes=1, complete=True)
    assert len(part.trials[1].lifted) == 1
    assert part.trials[1].lifted[0] in str(lifted.made.candidate.steps[-1].notes)


def test_a_recipe_that_fails_says_why(workshop: Workshop, lessons: Lessons, pruned: Proposal) -> None:
    result = workshop.trial(replace(pruned, groups="height"), lessons, 1, 1)
    assert (result.made, result.score) == (None, None)
    assert "height" in result.reason


def test_what_is_learnt_from_is_named_by_content(population: Population) -> None:
    data = population.development
    other = replace(data, train=replace(data.train, y=1 - data.train.y))
    renamed = replace(data, part=data.part.model_copy(update={"sha256": sha256_hex(b"other evaluation rows")}))
    assert Lessons(data).digest == Lessons(renamed).digest != Lessons(other).digest


def test_a_model_that_is_not_its_candidate_is_refused(lifted: Result) -> None:
    assert lifted.made is not None
    kind = type(lifted.made)
    assert kind.model_validate_json(lifted.made.model_dump_json()) == lifted.made
    with pytest.raises(ValueError, match="not the candidate"):
        kind(tflite=b"another", candidate=lifted.made.candidate, footprint=lifted.made.footprint)
