"""How a shadow is trained, and what is said where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from shadow_world import bench, model, population

from audit_pipeline.errors import InputError
from audit_pipeline.model.runtime import keras
from audit_pipeline.policy.steps import Training
from audit_pipeline.shadows.training import Retraining, TrainingCode, training_code

DATA = population().development

GOOD = """
from dataclasses import dataclass

from sibling import UNITS

@dataclass(frozen=True)
class Settings:
    units: int

def shadow(rows, seed):
    import tf_keras
    assert sorted(rows) == ["group", "subject", "x", "y"]
    settings = Settings(UNITS)
    made = tf_keras.Sequential(
        [tf_keras.layers.Input(rows["x"].shape[1:]), tf_keras.layers.Dense(settings.units, activation="softmax")]
    )
    made.compile("adam", "sparse_categorical_crossentropy")
    made.fit(rows["x"], rows["y"], epochs=1, verbose=0)
    return made
"""


def code(folder: Path, text: str, name: str = "shadow", units: int = 2) -> TrainingCode:
    (folder / "training.py").write_text(text)
    (folder / "sibling.py").write_text(f"UNITS = {units}")
    return training_code(f"training:{name}", folder, allow_code=True, where="policy.yaml:9")


def refusal(training: TrainingCode) -> InputError:
    with pytest.raises(InputError) as caught:
        training.train(DATA, 1)
    return caught.value


def test_settings_train_the_sources_architecture_from_other_weights(tmp_path: Path) -> None:
    source = model(tmp_path)
    training = Retraining(source, Training(epochs=3, learning_rate=0.05, batch_size=16))
    made, other = training.train(DATA, 1), training.train(DATA, 2)
    assert (made.get_weights()[0] != other.get_weights()[0]).any()
    right = made.predict_on_batch(DATA.train.x).argmax(axis=1) == DATA.train.y
    assert right.mean() > 0.6
    assert "3 epochs, learning rate 0.05, batches of 16" in training.said


def test_a_function_beside_the_policy_trains_with_what_it_imports_from_there(tmp_path: Path) -> None:
    training = code(tmp_path, GOOD)
    made = training.train(DATA, 1)
    assert isinstance(made, keras().Model)
    assert training.said == "by training.py:shadow beside the policy"
    assert set(training.beside) == {"training.py", "sibling.py"}


def test_code_is_not_run_unless_that_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "training.py").write_text("open('here', 'w')")
    with pytest.raises(InputError) as caught:
        training_code("training:shadow", tmp_path, allow_code=False, where="policy.yaml:9")
    assert caught.value.code == "privacy.code-not-allowed"
    assert caught.value.where == "policy.yaml:9"
    assert "--allow-code" in (caught.value.hint or "")


def test_a_module_that_is_not_there_is_told_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        training_code("parts.training:shadow", tmp_path, allow_code=True, where="policy.yaml:9")
    assert caught.value.code == "privacy.training-function"
    assert "training.py" in caught.value.what


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("def shadow(rows, seed):\n    return 1 / 0", 2, "ZeroDivisionError: division by zero"),
        ("def shadow(rows, seed):\n    return rows['z'", 2, "SyntaxError"),
        ("\n\nimport nowhere.to.be.found", 3, "ModuleNotFoundError"),
        ("def shadow(rows, seed):\n\n    raise SystemExit(3)", 3, "SystemExit: 3"),
        ("def shadow(rows):\n    pass", None, "TypeError"),
        ("def shadow(rows, seed):\n    import numpy\n    return numpy.zeros(2)[7]", 3, "IndexError"),
    ],
)
def test_what_fails_in_a_function_is_told_by_file_and_line(
    tmp_path: Path, text: str, line: int | None, what: str
) -> None:
    error = refusal(code(tmp_path, text))
    place = str(tmp_path / "training.py")
    assert error.code == "privacy.training-function"
    assert error.where == (place if line is None else f"{place}:{line}")
    assert what in error.what


@pytest.mark.parametrize(("text", "found"), [("shadow = 3", "no function"), ("", "no function shadow")])
def test_a_module_without_the_function_is_told(tmp_path: Path, text: str, found: str) -> None:
    assert found in refusal(code(tmp_path, text)).what


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    error = refusal(code(tmp_path, "def shadow(rows, seed):\n    return [rows]"))
    assert error.code == "privacy.not-a-model"
    assert "builtins.list" in error.what


def test_a_model_of_another_shape_is_refused_by_the_functions_name(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        bench(tmp_path, training=code(tmp_path, GOOD, units=3)).carry_out(0)
    assert caught.value.code == "privacy.not-a-model"
    assert caught.value.where == str(tmp_path / "training.py")
    assert "6 to 3" in caught.value.what and "6 to 2" in caught.value.what


def test_a_module_that_changes_while_it_is_used_is_refused(tmp_path: Path) -> None:
    training = code(tmp_path, GOOD)
    (tmp_path / "training.py").write_text(GOOD + "\n")
    assert refusal(training).code == "privacy.training-changed"
