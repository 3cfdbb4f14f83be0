"""`audit canaries plant`: a data set with canaries in it, and where the coins are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from audit_pipeline.cli.main import main
from audit_pipeline.data.load import load_population
from audit_pipeline.privacy.canaries.record import check_belongs, read_record

ROWS = 120


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A small data set of two classes, without people."""
    for number, name in enumerate(("train", "calibration", "evaluation")):
        x = np.random.default_rng(number).normal(size=(ROWS, 3)).astype(np.float32)
        np.savez(tmp_path / f"{name}.npz", x=x, y=np.arange(ROWS) % 2)
    path = tmp_path / "dataset.yaml"
    path.write_text(
        "version: 1\nname: small\ndescription: d\nsource: s\nsynthetic: true\nfeatures: x\nlabel: y\n"
        "classes: [a, b]\nsplits: {train: train.npz, calibration: calibration.npz, evaluation: evaluation.npz}\n"
    )
    return path


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_the_new_data_set_loads_and_the_record_is_its_own(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("canaries", "plant", manifest, "--out", tmp_path / "new", "--count", 50, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    canaries = read_record(Path(said["record"]))
    population = load_population(Path(said["manifest"]))
    check_belongs(canaries, population, "here")
    assert said["train_rows"] == len(population.train) == ROWS - said["left_out"]
    assert said["left_out"] == int((~canaries.coins).sum())
    assert (said["canaries"], said["guesses"]) == (50, canaries.guesses)
    assert said["largest_epsilon"] > 2


def test_without_a_seed_no_two_draws_are_alike_and_with_one_they_are(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coins = []
    for number, seed in enumerate(([], [], ["--seed", 4], ["--seed", 4])):
        out = tmp_path / f"new{number}"
        assert run("canaries", "plant", manifest, "-o", out, "-m", 50, *seed) == 0
        coins.append((out / "record" / "canaries.json").read_bytes())
    assert coins[0] != coins[1]
    assert coins[2] == coins[3]
    assert "keep this folder from whoever trains" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        (["--count", 5], "canaries.count"),
        (["--count", 50, "--guesses", 51], "canaries.guesses"),
        (["--count", 100], "canaries.count"),
    ],
)
def test_what_cannot_be_planted_exits_2_and_leaves_nothing(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: list[object], code: str
) -> None:
    before = sorted(tmp_path.iterdir())
    assert run("canaries", "plant", manifest, "--out", tmp_path / "new", *extra, "--json") == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == code
    assert sorted(tmp_path.iterdir()) == before


def test_a_place_that_is_taken_is_refused_before_any_work(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("canaries", "plant", tmp_path / "no-manifest.yaml", "--out", tmp_path, "--json") == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "canaries.exists"


def test_a_manifest_that_is_not_there_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("canaries", "plant", tmp_path / "no.yaml", "--out", tmp_path / "new", "--json") == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "data.not-found"
