"""A security counter that does not rise is refused: before any work, as the seal is logged, and at the gate."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sealing_worlds import Line
from small_world import CHEAP, PASSPHRASE, World, carry_out, ticking

from audit_pipeline.errors import ExitCode, InputError, RejectedError, ToolError
from audit_pipeline.gate.judge import gate
from audit_pipeline.seal.keys.load import new_key
from audit_pipeline.ship import Shipped, ship
from audit_pipeline.trail.log import Trail

WRIST = "{vendor: example.com, class: wrist}"


@pytest.fixture(scope="module")
def finished(world: World, sealed: Shipped) -> World:
    """The world with a finished model: most of these releases are of one and the same."""
    return replace(world, model=sealed.folder / "model.tflite")


@pytest.fixture(scope="module")
def line(finished: World, tmp_path_factory: pytest.TempPathFactory) -> Line:
    return Line(finished, tmp_path_factory.mktemp("line"))


@pytest.fixture(scope="module")
def first(line: Line) -> Shipped:
    return line.ship("first", 3)


@pytest.fixture(scope="module")
def second(line: Line, first: Shipped) -> Shipped:
    assert first.evidence.seal
    return line.ship("second", 4)


def entries(line: Line, run: str) -> list[str]:
    with Trail.open(line.folder / "audit.db", create=False) as trail:
        return [entry.kind for entry in trail.entries(run)]


@pytest.mark.parametrize("counter", [0, 3, 4])
def test_a_counter_that_does_not_rise_stops_before_any_work(line: Line, second: Shipped, counter: int) -> None:
    def working(step: str, _: float) -> None:
        assert step.startswith("reading")

    request = line.request(f"fallen-{counter}", counter)
    with pytest.raises(InputError) as caught:
        ship(request, now=ticking(), passphrase=lambda _: PASSPHRASE, progress=working)
    assert (caught.value.code, caught.value.exit_code) == ("seal.counter-not-risen", ExitCode.INPUT)
    assert "run second was released with security counter 4" in caught.value.what
    assert caught.value.hint == "set security_counter to 5 or more"
    assert entries(line, request.run) == []
    assert not (request.reports / request.run).exists()


def test_the_gate_passes_the_newest_release_and_says_what_superseded_another(
    world: World, line: Line, first: Shipped, second: Shipped
) -> None:
    trail = str(line.folder / "audit.db")
    checks = gate(second.folder, trail, world.demands()).told.checks
    assert "no newer release for this class of device is in the trail" in checks
    with pytest.raises(RejectedError) as caught:
        gate(first.folder, trail, world.demands())
    assert caught.value.code == "gate.superseded"
    assert "run second was released after it" in caught.value.what


def test_whoever_may_write_cannot_say_later_that_the_newest_release_broke_off(
    world: World, line: Line, first: Shipped, second: Shipped, tmp_path: Path
) -> None:
    copied = tmp_path / "copied"
    copied.mkdir()
    for file in line.folder.glob("audit.db*"):
        shutil.copy(file, copied)
    with Trail.open(copied / "audit.db") as trail:
        at = trail.entry(trail.head().size - 1).at
        trail.append("incident", "first", at, {"reason": "anything"})
        trail.append("aborted", "second", at, {"code": "run.write-failed"})
    with pytest.raises(RejectedError) as caught:
        gate(first.folder, str(copied / "audit.db"), world.demands())
    assert caught.value.code == "gate.superseded"


def test_an_evaluation_needs_no_counter(line: Line, second: Shipped) -> None:
    evaluated = carry_out(replace(line.request("evaluated", 0), command="evaluate", seals=False))
    assert evaluated.evidence.verdict.outcome == "PASS"


def test_a_class_has_a_line_of_its_own_whichever_the_key(world: World, line: Line, second: Shipped) -> None:
    line.ship("wrist", 1, device=WRIST)
    new_key("x25519", world.folder / "device-2", PASSPHRASE, log2_n=CHEAP)
    other = "signer: maker.key.pem, recipient: device-2.pub.pem"
    with pytest.raises(InputError) as caught:
        line.ship("wrist-again", 1, keys=other, device=WRIST)
    assert "security counter 1 for example.com/wrist" in caught.value.what


def test_of_two_at_once_one_is_sealed(world: World, tmp_path: Path) -> None:
    """While the first works, the second, which was as good when the first began, comes in before it."""
    line = Line(world, tmp_path)
    overtaken = False

    def overtake(step: str, _: float) -> None:
        nonlocal overtaken
        if not overtaken and "float predictions" in step:
            overtaken = True
            line.ship("quick", 7)

    request = line.request("slow", 7)
    with pytest.raises(InputError) as caught:
        ship(request, now=ticking(), passphrase=lambda _: PASSPHRASE, progress=overtake)
    assert overtaken
    assert caught.value.code == "seal.counter-not-risen"
    assert "run quick was released with security counter 7" in caught.value.what
    assert entries(line, "slow")[-2:] == ["verdict", "aborted"]
    assert entries(line, "quick")[-1] == "seal"
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["quick"]


def test_a_release_that_broke_off_spent_its_counter_and_supersedes_nothing(
    finished: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    line = Line(finished, tmp_path)
    kept = line.ship("kept", 1)
    with monkeypatch.context() as while_the_disk_fails, pytest.raises(ToolError):
        while_the_disk_fails.setattr(Path, "rename", failing)
        line.ship("lost", 2)
    assert entries(line, "lost")[-2:] == ["seal", "aborted"]
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["kept"]
    gated = gate(kept.folder, str(tmp_path / "audit.db"), finished.demands())
    assert gated.evidence == kept.evidence
    assert any("run lost sealed a newer image" in warning for warning in gated.told.warnings)
    with pytest.raises(InputError) as caught:
        line.ship("again", 2)
    assert "run lost was released with security counter 2" in caught.value.what


def test_a_trail_whose_memory_was_altered_seals_nothing(finished: World, tmp_path: Path) -> None:
    """The entry's text is as it was logged; only the column that seals are found by says something else."""
    line = Line(finished, tmp_path)
    line.ship("honest", 2)
    with sqlite3.connect(tmp_path / "audit.db") as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute("UPDATE entry SET kind = 'data' WHERE kind = 'seal'")
    with pytest.raises(RejectedError) as caught:
        line.ship("replayed", 1)
    assert caught.value.code.startswith("trail.")
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["honest"]
