"""A student that a recipe names is held against the data before anything is trained, and by a dry run too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_world import POLICY, World

from audit_pipeline.cli.main import main
from audit_pipeline.errors import InputError
from audit_pipeline.inputs import read_inputs
from audit_pipeline.model.runtime import keras, quiet


def save(path: Path, length: int = 24, units: int = 2, scale: float = 1.0) -> None:
    """A classifier of rows of that length, its weights times a scale."""
    layers = keras().layers
    model = keras().Sequential([layers.Input((length, 1)), layers.Flatten(), layers.Dense(units, activation="softmax")])
    model.set_weights([weight * np.float32(scale) for weight in model.get_weights()])
    with quiet():
        model.save(path)


@pytest.fixture
def policy(world: World) -> Path:
    path = world.folder / "taught.yaml"
    path.write_text(POLICY.replace("    - quantize", "    - distill: {student: small.h5, epochs: 1}\n    - quantize"))
    (world.folder / "small.h5").unlink(missing_ok=True)
    return path


@pytest.mark.parametrize(
    ("student", "code"),
    [
        ({"length": 20}, "model.input-shape"),
        ({"units": 3}, "model.output-shape"),
        ({"scale": float("nan")}, "model.not-finite"),
    ],
    ids=["other rows", "other classes", "no numbers"],
)
def test_a_student_that_cannot_learn_this_is_refused_by_its_file(
    student: dict[str, Any], code: str, world: World, policy: Path
) -> None:
    save(world.folder / "small.h5", **student)
    with pytest.raises(InputError, match=r"small\.h5") as caught:
        read_inputs(world.model, policy, None)
    assert caught.value.code == code
    assert caught.value.hint


def test_a_student_that_is_not_there_is_told_with_its_line(
    world: World, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["ship", str(world.model), "-p", str(policy), "--dry-run"])
    assert caught.value.code == 2
    line = policy.read_text().splitlines().index("    - distill: {student: small.h5, epochs: 1}") + 1
    assert f"taught.yaml:{line}: there is no file small.h5" in capsys.readouterr().err


def test_a_tflite_is_no_student(world: World, policy: Path) -> None:
    (world.folder / "small.h5").unlink(missing_ok=True)
    out = world.folder / "done.tflite"
    with pytest.raises(SystemExit):
        main(["compress", str(world.model), "-p", str(world.policy), "-o", str(out)])
    policy.write_text(policy.read_text().replace("small.h5", "done.tflite"))
    with pytest.raises(InputError, match=r"taught\.yaml:\d+.*\.tflite") as caught:
        read_inputs(world.model, policy, None)
    assert caught.value.code == "compress.finished-student"


def test_a_student_that_fits_is_welcome(world: World, policy: Path) -> None:
    save(world.folder / "small.h5")
    assert read_inputs(world.model, policy, None).source.path == world.model
