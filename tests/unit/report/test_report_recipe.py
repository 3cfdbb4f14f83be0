"""The recipe in words: what matters of every step, and what it left of the model."""

from __future__ import annotations

from typing import Any

import pytest
from report_hostile import HOSTILE
from report_search import STEPS, make_searched

from audit_pipeline.evidence import Evidence, StepPart
from audit_pipeline.policy.protection import Outputs, TrainPrivate
from audit_pipeline.policy.recipe import TECHNIQUES, Search
from audit_pipeline.policy.steps import Cluster, Distill, FineTune, PruneNeurons, PruneWeights, Quantize, Training
from audit_pipeline.report.html import render_html
from audit_pipeline.report.markdown import render_markdown
from audit_pipeline.report.recipe import MEANING, step_lines
from audit_pipeline.report.techniques import SETTINGS, search_in_words, settings_in_words

PLAINLY: dict[str, Any] = {
    "epochs": 2,
    "learning_rate": 1e-3,
    "batch_size": 128,
    "sampling": "rows",
    "decay": "none",
    "average": False,
}
TRAINED = ("2 epochs at a learning rate of 0.001", "batches of 128")


def with_steps(*steps: StepPart) -> Evidence:
    evidence = make_searched()
    return evidence.model_copy(
        update={"candidate": evidence.candidate.model_copy(update={"steps": steps, "search": None})}
    )


@pytest.mark.parametrize(
    ("technique", "settings", "clauses"),
    [
        ("prune_weights", PruneWeights(sparsity=0.125), ("12.5% of the weights", "polynomial schedule", *TRAINED)),
        (
            "prune_weights",
            PruneWeights(pattern="2:4", schedule="constant"),
            ("two of every four weights", "constant schedule", *TRAINED),
        ),
        (
            "prune_weights",
            PruneWeights(sparsity=0.5, pattern="block", block=(2, 8)),
            ("50% of the weights, in blocks of 2 × 8", "polynomial schedule", *TRAINED),
        ),
        (
            "prune_neurons",
            PruneNeurons(ratio=0.3, importance="l1", scope="model"),
            ("30% of the filters and units of all layers together", "the smallest first (L1 norm)"),
        ),
        (
            "prune_neurons",
            PruneNeurons(ratio=0.3, groups="sex*age"),
            (
                "30% of the filters and units of every layer",
                "the least needed first, by the group of sex*age that needs each most (Taylor score on 2,048 rows)",
            ),
        ),
        (
            "fine_tune",
            FineTune(epochs=1, balance="sex", patience=3),
            (
                "1 epoch at a learning rate of 0.001",
                "batches of 128",
                "every group of sex counts the same",
                "stops 3 epochs after the best",
            ),
        ),
        (
            "distill",
            Distill(width=0.5, weight=0.5, blend=False, **PLAINLY),
            (
                "student: the source at 50% of its width, from scratch",
                "temperature 2",
                "50% of the loss from the source's answers",
                *TRAINED,
            ),
        ),
        (
            "fine_tune",
            FineTune(weight_decay=0.01, label_smoothing=0.1),
            (*TRAINED, "weights decay by 0.01 × learning rate", "10% of each label spread over the classes"),
        ),
        (
            "train_private",
            TrainPrivate(epsilon=2.5, delta=1e-5, secret="noise.bin"),
            (
                "epsilon 2.5 for every row at delta 1e-05",
                "gradients clipped to 1",
                "20 epochs at a learning rate of 0.002",
                "batches of 256 expected",
                "noise from a secret",
            ),
        ),
        (
            "quantize",
            Quantize(outputs=Outputs(round=16)),
            ("int8", "500 calibration rows", "outputs rounded on the device, 16 steps from end to end"),
        ),
        (
            "quantize",
            Quantize(outputs=Outputs(top=1)),
            ("int8", "500 calibration rows", "the device gives the top class alone"),
        ),
        ("cluster", Cluster(clusters=8), ("8 values a layer at most", *TRAINED)),
        (
            "quantize",
            Quantize(scheme="int16x8"),
            ("int16x8: int16 activations over int8 weights", "500 calibration rows"),
        ),
        (
            "quantize",
            Quantize(scheme="mixed", lift=2),
            (
                "int8, some operators int16x8",
                "2 operators lifted, by what they cost the worst group",
                "500 calibration rows",
            ),
        ),
        (
            "quantize",
            Quantize(aware=Training()),
            ("int8", f"trained with int8's rounding in the loop: {', '.join(TRAINED)}", "500 calibration rows"),
        ),
    ],
)
def test_settings_are_words_and_none_says_nothing(technique: str, settings: Any, clauses: tuple[str, ...]) -> None:
    assert settings_in_words(technique, settings.model_dump(mode="json")) == clauses


INT8: dict[str, Any] = {"scheme": "int8", "lift": None}
ONE_AND_ANOTHER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "epochs": ({}, {"epochs": 77}),
    "learning_rate": ({}, {"learning_rate": 0.077}),
    "batch_size": ({}, {"batch_size": 77}),
    "balance": ({}, {"balance": "sex"}),
    "sampling": ({"sampling": "rows"}, {"sampling": "square_root"}),
    "decay": ({"decay": "none"}, {"decay": "cosine"}),
    "average": ({"average": False}, {"average": True}),
    "patience": ({"average": False}, {"average": False, "patience": 7}),
    "sparsity": ({"sparsity": 0.5}, {"sparsity": 0.77}),
    "schedule": ({}, {"schedule": "constant"}),
    "pattern": ({"sparsity": 0.5}, {"sparsity": None, "pattern": "2:4"}),
    "block": ({"pattern": "block"}, {"pattern": "block", "block": [7, 7]}),
    "ratio": ({"ratio": 0.5}, {"ratio": 0.77}),
    "importance": ({}, {"importance": "l1"}),
    "groups": ({}, {"groups": "sex"}),
    "scope": ({}, {"scope": "model"}),
    "rows": ({}, {"rows": 77}),
    "student": ({}, {"student": "small.h5"}),
    "width": ({}, {"width": 0.77}),
    "temperature": ({}, {"temperature": 7.7}),
    "weight": ({"weight": 0.5}, {"weight": 0.77}),
    "blend": ({"blend": False}, {"blend": True}),
    "clusters": ({}, {"clusters": 77}),
    "scheme": (INT8, {"scheme": "int16x8", "lift": None}),
    "calibration_rows": ({}, {"calibration_rows": 77}),
    "aware": (INT8, INT8 | {"aware": {"epochs": 77}}),
    "lift": ({"lift": 1}, {"lift": 2}),
    "outputs": (INT8, INT8 | {"outputs": {"round": 16}}),
    "weight_decay": ({}, {"weight_decay": 0.077}),
    "label_smoothing": ({"weight": 0.5}, {"weight": 0.5, "label_smoothing": 0.077}),
    "clip": ({}, {"clip": 0.77}),
    "noise": ({}, {"noise": 0.77}),
    "epsilon": ({}, {"noise": None, "epsilon": 7.7}),
    "delta": ({}, {"delta": 1e-7}),
    "unit": ({}, {"unit": "rows"}),
    "rows_each": ({}, {"rows_each": 7}),
    "secret": ({}, {"secret": "secret.bin"}),
}
NEEDED: dict[str, dict[str, Any]] = {
    "train_private": {"noise": 1.0, "delta": 1e-5, "unit": "people"},
    "prune_weights": {"sparsity": 0.5},
    "prune_neurons": {"ratio": 0.5},
    "quantize": {"scheme": "mixed", "lift": 2},
}
FIELDS = [(technique, field) for technique, kind in SETTINGS.items() for field in kind.model_fields]


@pytest.mark.parametrize(("technique", "field"), FIELDS)
def test_no_setting_goes_unsaid(technique: str, field: str) -> None:
    """A field that is new in the policy's schema fails here until it has words."""
    one, another = (settings_in_words(technique, NEEDED.get(technique, {}) | each) for each in ONE_AND_ANOTHER[field])
    assert one != another


def test_a_search_is_told_in_words() -> None:
    assert search_in_words(Search()) == (
        "24 trials at most",
        "8 epochs of training at most",
        "the worst group of every group column minded",
        "4 operators lifted to int16x8 at most",
    )
    settings = Search(trials=1, seconds=60, epochs=1, groups="sex", holdout=0.125, margin=0.01, most_lifted=0)
    assert search_in_words(settings) == (
        "1 trial at most",
        "1 epoch of training at most",
        "no recipe begun after 60 seconds",
        "the worst group of sex minded",
        "12.5% of the train split's people held out to choose by",
        "rules kept with 0.01 to spare",
        "no operator lifted",
    )


def test_students_are_named_by_where_they_come_from() -> None:
    assert settings_in_words("distill", {"student": "small.h5"})[0] == "student from small.h5"
    assert settings_in_words("distill", {})[0] == "student: the model as it stood"


def test_of_many_lifted_operators_the_first_are_named() -> None:
    names = [f"block_{number}" for number in range(9)]
    said = settings_in_words("quantize", {"scheme": "mixed", "lift": names})
    assert "lifted: block_0, block_1, block_2, block_3, block_4, block_5 and 3 more" in said


@pytest.mark.parametrize("technique", [*TECHNIQUES, "a technique of tomorrow"])
@pytest.mark.parametrize("value", [None, -1, [], {"deep": [1]}, *HOSTILE])
def test_settings_of_another_version_stand_as_they_are(technique: str, value: object) -> None:
    said = ", ".join(settings_in_words(technique, {"ratio": value, "epochs": value, "z": 1}))
    assert said.endswith("z 1")
    assert "\n" not in said


def test_what_a_step_adds_to_its_settings_is_said() -> None:
    assert settings_in_words("fine_tune", STEPS[1].settings)[-2:] == ("Adam", "SparseCategoricalCrossentropy")


def test_every_step_has_its_line_with_what_it_left(searched_page: str) -> None:
    first, second, last = step_lines(make_searched())
    assert first.left == "10,214 parameters (47.9% fewer)"
    assert second.left == "10,214 parameters; 12 of them zero (0.1%)"
    assert last.left == ".tflite of 15.5 KiB, 11.8 KiB zipped"
    for document in (searched_page, render_markdown(make_searched())):
        for line in (first, second, last):
            assert document.count(line.settings) == 1
            assert line.left in document
            assert all(note in document for note in line.notes)


def test_a_wider_student_is_said_to_be_larger() -> None:
    [line] = step_lines(with_steps(StepPart(technique="distill", settings={}, parameters=39_208)))
    assert line.left == "39,208 parameters (100.0% more)"


def test_what_numbers_mean_for_flash_is_said_where_there_are_numbers(searched_page: str) -> None:
    assert MEANING in searched_page
    assert MEANING in render_markdown(make_searched())
    assert MEANING not in render_markdown(with_steps(StepPart(technique="quantize", settings={})))


def test_a_finished_model_has_no_recipe() -> None:
    for document in (render_html(with_steps()), render_markdown(with_steps())):
        assert "The model came finished and was not compressed again." in document
        assert "Seed" not in document
        assert MEANING not in document
