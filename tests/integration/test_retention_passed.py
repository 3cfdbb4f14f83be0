"""Data whose last day has passed are not touched by any command that reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from small_world import POLICY, World, carry_out
from typer.testing import CliRunner

from audit_pipeline.cli.main import app
from audit_pipeline.errors import InputError

PASSED = "retention: {until: 2025-12-31}\n"


@pytest.fixture(scope="module")
def policy(world: World) -> Path:
    """A policy whose data were to be used until the day before the tests' clock begins."""
    manifest = world.folder / "passed.dataset.yaml"
    manifest.write_text((world.folder / "dataset.yaml").read_text() + PASSED)
    path = world.folder / "passed.yaml"
    path.write_text(POLICY.replace("dataset.yaml", manifest.name))
    return path


def test_ship_refuses_them_before_any_work(world: World, policy: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        carry_out(replace(world.request("late", tmp_path), policy=policy))
    assert (caught.value.code, caught.value.exit_code) == ("data.retention-passed", 2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["ship", "--dry-run"], ["evaluate"], ["compress", "--output", "OUT"]])
def test_every_command_that_reads_data_asks_for_their_last_day(
    world: World, policy: Path, tmp_path: Path, command: list[str]
) -> None:
    name, *options = (str(tmp_path / "out.tflite") if word == "OUT" else word for word in command)
    places = [] if name == "compress" or "--dry-run" in options else ["--trail", str(tmp_path / "audit.db")]
    arguments = [name, str(world.model), "--policy", str(policy), *options, *places]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, InputError), result.output
    assert result.exception.code == "data.retention-passed"
    assert list(tmp_path.iterdir()) == []
