"""What tflite-micro cannot run is refused before it is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audit_pipeline.data.population import Population
from audit_pipeline.errors import InputError
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.runtime import keras, quiet
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.recipe import Compress
from audit_pipeline.preflight import preflight

TRAINS: tuple[dict[str, Any], ...] = ({"fine_tune": {"epochs": 1}}, {"quantize": {}})


def recipe(*steps: dict[str, Any]) -> Compress:
    return Compress.model_validate({"recipe": steps})


def saved_with(activation: str, path: Path) -> SourceModel:
    """A classifier of the population's tones with that activation in one of its layers."""
    layers = keras().layers
    inner = keras().Sequential([layers.Input((20,)), layers.Dense(4, activation=activation, name="odd")], name="inner")
    model = keras().Sequential(
        [layers.Input((20, 1)), layers.Flatten(), inner, layers.Dense(3, activation="softmax", name="even")]
    )
    with quiet():
        model.save(path)
    return inspect_model(path)


@pytest.mark.parametrize(
    ("activation", "operator"),
    [("gelu", "GELU"), ("softplus", "EXP")],
    ids=["no kernel", "no integer kernel"],
)
def test_the_operator_and_its_layer_are_named(
    activation: str, operator: str, population: Population, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        preflight(saved_with(activation, tmp_path / "m.h5"), recipe(*TRAINS), population.development)
    assert caught.value.code == "model.no-kernel"
    assert f"{operator} of layer 'odd' (Dense)" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    "section",
    [
        recipe(*TRAINS),
        recipe({"fine_tune": {"epochs": 1}}, {"quantize": {"scheme": "int16x8"}}),
        Compress.model_validate({"search": {}}),
    ],
    ids=["recipe", "int16x8", "search"],
)
def test_a_model_that_runs_passes(section: Compress, source: SourceModel, population: Population) -> None:
    told: list[float] = []
    preflight(source, section, population.development, lambda _, done: told.append(done))
    assert told == [0.0, 1.0]


def test_a_recipe_that_trains_nothing_is_not_asked(population: Population, tmp_path: Path) -> None:
    source = saved_with("gelu", tmp_path / "m.h5")
    told: list[float] = []
    preflight(source, recipe({"quantize": {}}), population.development, lambda _, done: told.append(done))
    assert not told
    with pytest.raises(InputError):
        preflight(source, recipe({"quantize": {"aware": {"epochs": 1}}}), population.development)


def test_of_a_student_from_a_file_the_student_is_asked(
    source: SourceModel, population: Population, tmp_path: Path
) -> None:
    odd = saved_with("gelu", tmp_path / "student.h5")
    section = recipe({"distill": {"student": "student.h5", "epochs": 1}}, {"quantize": {}})
    with pytest.raises(InputError, match=r"student\.h5"):
        preflight(source, section, population.development, folder=tmp_path)
    with quiet():
        keras().models.load_model(source.path).save(tmp_path / "student.h5")
    preflight(odd, section, population.development, folder=tmp_path)


def test_weights_that_are_not_numbers_are_named_before_all(population: Population, tmp_path: Path) -> None:
    source = saved_with("relu", tmp_path / "m.h5")
    model = keras().models.load_model(source.path)
    model.layers[-1].set_weights([weight * float("nan") for weight in model.layers[-1].get_weights()])
    with quiet():
        model.save(tmp_path / "m.h5")
    with pytest.raises(InputError) as caught:
        preflight(inspect_model(tmp_path / "m.h5"), recipe(*TRAINS), population.development)
    assert caught.value.code == "model.not-finite"
