"""A search from a policy to a sealed image: repeatable, resumable, and blind to the people it is judged by."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_world import POLICY, World, ticking, trail_of

from audit_pipeline.cli.main import main
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.gate.judge import gate
from audit_pipeline.inputs import Inputs, read_inputs
from audit_pipeline.policy.recipe import Compress
from audit_pipeline.progress import silent
from audit_pipeline.search.around import ALONE, Around, News, State
from audit_pipeline.ship import Shipped, make_candidate, ship

RECIPE = """\
  recipe:
    - quantize: {scheme: int8, calibration_rows: 64}
"""
SEARCH = "  search: {trials: 4, epochs: 1, most_lifted: 1}\n  seed: 4\n"
SMALL = Compress.model_validate({"search": {"trials": 2, "epochs": 1, "most_lifted": 0}})


@pytest.fixture(scope="module")
def searched(world: World) -> World:
    """The small world under a policy that searches."""
    assert RECIPE in POLICY
    policy = world.folder / "searched.yaml"
    policy.write_text(POLICY.replace(RECIPE, SEARCH))
    return replace(world, policy=policy)


@pytest.fixture(scope="module")
def inputs(searched: World) -> Inputs:
    return read_inputs(searched.model, searched.policy, None)


@pytest.fixture(scope="module")
def shipped(searched: World, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """The whole run, without a cache."""
    request = searched.request("searched", tmp_path_factory.mktemp("searched"))
    return ship(request, now=ticking(), passphrase=lambda _: b"correct horse")


def tflite_of(run: Shipped) -> bytes:
    return (run.folder / "model.tflite").read_bytes()


def test_the_smallest_that_keeps_the_rules_is_shipped(shipped: Shipped) -> None:
    candidate = shipped.evidence.candidate
    search = candidate.search
    assert search is not None and search.complete
    (chosen,) = [trial for trial in search.trials if trial.chosen]
    kept = [trial for trial in search.trials if trial.violation is not None and trial.violation <= 0]
    assert search.keeps_rules == bool(kept)
    assert chosen.size_bytes == candidate.size_bytes == len(tflite_of(shipped))
    assert chosen.size_bytes == min(trial.size_bytes for trial in kept if trial.size_bytes is not None)
    assert [step.technique for step in candidate.steps] == [next(iter(step)) for step in chosen.recipe]
    assert chosen.size_bytes < next(trial.size_bytes for trial in search.trials if trial.number == 0)  # type: ignore[operator]


def test_every_trial_stays_on_record(shipped: Shipped) -> None:
    search = shipped.evidence.candidate.search
    assert search is not None
    assert [trial.number for trial in search.trials] == [0, 1, 2, 3]
    assert all(trial.reason and trial.recipe and trial.label for trial in search.trials)
    assert search.evaluation_passes >= 4
    assert "calibration split" in search.chosen_by


def test_the_gate_takes_a_run_that_searched(searched: World, shipped: Shipped) -> None:
    assert shipped.evidence.verdict.outcome == "PASS"
    gate(shipped.folder, trail_of(shipped), searched.demands())


@pytest.fixture(scope="module")
def small(inputs: Inputs) -> Candidate:
    """What a search of two trials finds, without a cache."""
    return make_candidate(inputs, silent, ALONE, SMALL)


def test_the_people_who_judge_are_not_looked_at(inputs: Inputs, small: Candidate) -> None:
    evaluation = inputs.population.evaluation
    rng = np.random.default_rng(0)
    others = replace(evaluation, x=rng.normal(size=evaluation.x.shape).astype(np.float32), y=1 - evaluation.y)
    changed = replace(inputs, population=replace(inputs.population, evaluation=others))
    assert make_candidate(changed, silent, ALONE, SMALL) == small


class BrokenOff(Exception):
    """What ends a search in its middle."""


def test_a_search_that_broke_off_goes_on_and_comes_to_the_same_bytes(
    inputs: Inputs, small: Candidate, tmp_path: Path
) -> None:
    """In short: of two trials, broken off by an exception. A killed process is tried by `make bench-tests`."""
    cache = tmp_path / "cache"

    def break_off(news: News) -> None:
        if news.state is State.RUNNING and len(list(cache.glob("*.json"))) >= 2:
            raise BrokenOff

    with pytest.raises(BrokenOff):
        make_candidate(inputs, silent, Around(cache=cache, observe=break_off), SMALL)
    kept = {entry: entry.stat().st_mtime_ns for entry in sorted(cache.glob("*.json"))}
    assert len(kept) >= 2
    damaged, *whole = kept
    damage([damaged])
    assert make_candidate(inputs, silent, Around(cache=cache), SMALL) == small
    assert {entry: entry.stat().st_mtime_ns for entry in whole} == {entry: kept[entry] for entry in whole}
    assert len(list(cache.glob("*.json"))) > len(kept)


@pytest.mark.bench
def test_a_killed_search_goes_on_and_comes_to_the_same_bytes(
    searched: World, inputs: Inputs, shipped: Shipped, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    command = [sys.executable, "-m", "audit_pipeline", "compress", str(searched.model), "-p", str(searched.policy)]
    child = subprocess.Popen(
        [*command, "--cache", str(cache), "-o", str(tmp_path / "m.tflite")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: len(list(cache.glob("*.json"))) >= 3 or child.poll() is not None)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    kept = {entry: entry.stat().st_mtime_ns for entry in cache.glob("*.json")}
    assert len(kept) >= 3
    assert not (tmp_path / "m.tflite").exists()
    candidate = make_candidate(inputs, silent, Around(cache=cache))
    assert candidate.tflite == tflite_of(shipped)
    assert {entry: entry.stat().st_mtime_ns for entry in kept} == kept
    assert len(list(cache.glob("*.json"))) > len(kept)
    damage(sorted(cache.glob("*.json"))[:4])
    assert make_candidate(inputs, silent, Around(cache=cache)) == candidate
    assert candidate.part == shipped.evidence.candidate


def damage(entries: list[Path]) -> None:
    """Cut some short and change a number in others."""
    for number, entry in enumerate(entries):
        whole = entry.read_bytes()
        entry.write_bytes(whole[:-20] if number % 2 else whole.replace(b'"sha256":"', b'"sha256":"0'))


def until(holds: Callable[[], bool]) -> None:
    """Wait, at most two minutes."""
    for _ in range(2400):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


def test_after_the_time_no_trial_is_begun(inputs: Inputs) -> None:
    seconds = itertools.count(0, 10)
    seen: list[News] = []
    section = Compress.model_validate({"search": {"trials": 4, "epochs": 1, "seconds": 1}})
    candidate = make_candidate(inputs, silent, Around(clock=lambda: next(seconds), observe=seen.append), section)
    search = candidate.part.search
    assert search is not None and not search.complete
    assert {news.number for news in seen} == {0}
    assert seen[-1].state is State.CHOSEN
    assert all("time was over" in trial.reason for trial in search.trials[1:])


def audit(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)


def test_compress_searches_where_the_policy_has_a_recipe(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "small.tflite"
    wanted = ("--search", "--trials", 2, "--epochs", 1, "--seed", 1, "--no-cache", "--json")
    assert audit("compress", world.model, "-p", world.policy, "-o", out, *wanted) == 0
    captured = capsys.readouterr()
    part = json.loads(captured.out)["candidate"]
    assert part["seed"] == 1
    assert len(part["search"]["trials"]) == 2
    assert part["size_bytes"] == out.stat().st_size
    assert "round 0, trial 1" in captured.err


def test_every_note_stands_under_its_step(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit("compress", world.model, "-p", world.policy, "-o", tmp_path / "m.tflite") == 0
    lines = capsys.readouterr().out.splitlines()
    step = lines.index("1. quantize: int8, 64 calibration rows")
    assert lines[step + 1].startswith("   .tflite of ")
    assert lines[step + 2].startswith("   calibrated on 64 rows")


def test_flags_of_a_search_need_one(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "m.tflite"
    assert audit("compress", world.model, "-p", world.policy, "-o", out, "--trials", 3) == 2
    assert "--trials: the policy gives a recipe" in capsys.readouterr().err
    assert audit("compress", world.model, "--random-calibration", "-o", out, "--search") == 2
    assert audit("compress", world.model, "-p", world.policy, "-o", out, "--search", "--trials", 0) == 2
    assert audit("compress", world.model, "-p", world.policy, "-o", out, "--cache", tmp_path, "--no-cache") == 2
    assert not out.exists()


def test_a_finished_model_is_not_searched(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "done.tflite"
    make = make_candidate(read_inputs(world.model, world.policy, None), silent, ALONE)
    model.write_bytes(make.tflite)
    for flags in (["--search"], ["--trials", 3]):
        assert audit("compress", model, "-p", world.policy, "-o", tmp_path / "m.tflite", *flags) == 2
        assert "compressed already" in capsys.readouterr().err


def test_a_dry_run_shows_the_search(searched: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit("ship", searched.model, "-p", searched.policy, "--dry-run") == 0
    assert "search       4 trials at most\n" in capsys.readouterr().out
