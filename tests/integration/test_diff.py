"""`audit diff`: the same people, two runs, and what changed for whom."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_world import POLICY, World, carry_out

from audit_pipeline.cli.main import main
from audit_pipeline.diff import diff
from audit_pipeline.differences import Diff
from audit_pipeline.errors import InputError
from audit_pipeline.predictions_file import KeptPredictions, load_predictions, predictions_to_npz
from audit_pipeline.ship import Shipped


@pytest.fixture(scope="module")
def pruned(world: World, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """The same model, pruned until it shows; its policy asks for something else."""
    policy = world.folder / "pruned.yaml"
    recipe = "  recipe:\n    - prune_weights: {sparsity: 0.9, epochs: 1, learning_rate: 1.0e-6}\n"
    rules = '  - {metric: precision, class: alarm, min: 0.1, groups: ["sex"]}\n  - {metric: accuracy, min: 0.1}\n'
    text = POLICY.replace("  recipe:\n", recipe)
    start, end = text.index("  - {metric: recall"), text.index("privacy:")
    policy.write_text(text[:start] + rules + text[end:])
    request = world.request("pruned", tmp_path_factory.mktemp("pruned"))
    return carry_out(replace(request, policy=policy, seals=False))


@pytest.fixture(scope="module")
def worse(sealed: Shipped, pruned: Shipped) -> Diff:
    return diff(sealed.folder, pruned.folder)


def copied(shipped: Shipped, tmp_path: Path) -> Path:
    """A run's folder elsewhere, from where the data set is not to be found."""
    return Path(shutil.copytree(shipped.folder, tmp_path / "archive" / "of" / "run"))


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        main([*map(str, arguments)])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_what_got_worse_is_named_and_turns_round_with_the_runs(sealed: Shipped, pruned: Shipped, worse: Diff) -> None:
    assert worse.worse
    assert "overall" in {shift.group.label for shift in worse.worse}
    back = diff(pruned.folder, sealed.folder)
    names = [(shift.group, shift.comparison.metric) for shift in worse.worse]
    assert names == [(shift.group, shift.comparison.metric) for shift in back.better]
    assert (len(back.worse), back.undecided) == (len(worse.better), worse.undecided)


def test_its_numbers_are_those_of_the_two_runs(sealed: Shipped, pruned: Shipped, worse: Diff) -> None:
    for shipped, side in ((sealed, "before"), (pruned, "after")):
        told = {(row.group, each.metric): each.after for row in shipped.evidence.groups for each in row.metrics}
        seen = {(row.group, each.metric): getattr(each, side) for row in worse.groups for each in row.metrics}
        assert told.items() <= seen.items()


def test_metrics_of_both_policies_are_compared(worse: Diff) -> None:
    metrics = {each.metric.label for row in worse.groups for each in row.metrics}
    assert {"recall of alarm", "precision of alarm", "accuracy"} <= metrics


def test_what_the_second_policy_asks_otherwise_is_told(worse: Diff) -> None:
    told = {(edit.path, edit.effect) for edit in worse.policy_edits}
    assert ("fairness.recall[alarm].max_drop", "loosened") in told
    assert ("fairness.accuracy.min", "loosened") in told
    assert ("fairness.precision[alarm].min", "tightened") in told
    assert worse.after.responsible == {"false_alarm": "the maker", "missed_alarm": "the operator"}


def test_whose_class_changed_is_told(sealed: Shipped, pruned: Shipped, worse: Diff) -> None:
    before, after = (load_predictions(each.folder / "predictions.npz").predictions for each in (sealed, pruned))
    assert worse.exemplars is not None
    assert worse.exemplars.changed == (before.labels != after.labels).sum()


def test_the_same_run_twice_shows_no_change(sealed: Shipped) -> None:
    same = diff(sealed.folder, sealed.folder)
    assert (same.worse, same.better) == ((), ())
    assert same.undecided == same.compared > 0
    assert same.exemplars is not None
    assert same.exemplars.changed == 0


def test_the_exit_code_says_whether_anything_got_surely_worse(
    sealed: Shipped, refused: Shipped, pruned: Shipped, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("diff", sealed.folder, pruned.folder) == 1
    assert "WORSE" in capsys.readouterr().out
    assert run("diff", sealed.folder, refused.folder) == 0
    assert "NO SURE CHANGE" in capsys.readouterr().out


def test_json_is_the_document(
    sealed: Shipped, pruned: Shipped, worse: Diff, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("diff", sealed.folder, pruned.folder, "--json") == 1
    out = capsys.readouterr().out
    assert Diff.model_validate_json(out) == worse
    assert run("diff", sealed.folder, pruned.folder, "--format", "json") == 1
    assert capsys.readouterr().out == out
    assert "p24" not in out


def test_markdown_is_printed_as_it_is(sealed: Shipped, pruned: Shipped, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("diff", sealed.folder, pruned.folder, "--format", "markdown") == 1
    out = capsys.readouterr().out
    assert out.startswith("## WORSE AND BETTER: sealed → pruned\n")
    assert "| sex=female |" in out


def refuses(code: str, call: Callable[[], object]) -> InputError:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.code == code
    return caught.value


def test_a_folder_that_is_no_run_is_refused(sealed: Shipped, tmp_path: Path) -> None:
    refuses("diff.not-a-run", lambda: diff(sealed.folder, tmp_path))
    refuses("diff.not-a-run", lambda: diff(tmp_path / "nowhere", sealed.folder))


def test_a_data_set_that_moved_is_asked_for(world: World, sealed: Shipped, tmp_path: Path) -> None:
    moved = copied(sealed, tmp_path)
    error = refuses("diff.no-data", lambda: diff(moved, moved))
    assert "--data" in str(error.hint)
    assert diff(moved, moved, world.folder / "dataset.yaml").compared
    assert diff(moved, sealed.folder).compared


def test_a_data_set_that_changed_is_refused(world: World, sealed: Shipped, tmp_path: Path) -> None:
    for name in ("train.npz", "calibration.npz", "evaluation.npz"):
        shutil.copy(world.folder / name, tmp_path)
    manifest = tmp_path / "dataset.yaml"
    manifest.write_text((world.folder / "dataset.yaml").read_text().replace("two noisy tones", "two tones"))
    refuses("diff.data-changed", lambda: diff(sealed.folder, sealed.folder, manifest))


def test_runs_on_other_data_are_refused(sealed: Shipped, tmp_path: Path) -> None:
    other = copied(sealed, tmp_path)
    data = sealed.evidence.data.model_copy(update={"sha256": "0" * 64})
    (other / "evidence.json").write_bytes(sealed.evidence.model_copy(update={"data": data}).canonical())
    refuses("diff.other-data", lambda: diff(sealed.folder, other))


def test_another_policy_than_the_evidence_names_is_refused(sealed: Shipped, refused: Shipped, tmp_path: Path) -> None:
    other = copied(sealed, tmp_path)
    shutil.copy(refused.folder / "policy.yaml", other)
    refuses("diff.inconsistent-run", lambda: diff(sealed.folder, other))


def test_predictions_of_another_run_are_refused(sealed: Shipped, pruned: Shipped, tmp_path: Path) -> None:
    other = copied(sealed, tmp_path)
    shutil.copy(pruned.folder / "predictions.npz", other)
    refuses("diff.inconsistent-run", lambda: diff(sealed.folder, other))
    refuses("diff.inconsistent-run", lambda: diff(other, sealed.folder))


def test_a_run_without_predictions_is_refused(sealed: Shipped, tmp_path: Path) -> None:
    other = copied(sealed, tmp_path)
    (other / "predictions.npz").unlink()
    refuses("predictions.missing", lambda: diff(sealed.folder, other))


@pytest.mark.parametrize(
    "change",
    [
        lambda p: replace(p, scores=p.scores[:-1]),
        lambda p: replace(p, scores=np.concatenate([p.scores, p.scores], axis=1)),
        lambda p: replace(p, threshold=0.25),
        lambda p: replace(p, scores=np.ones_like(p.scores)),
    ],
    ids=["rows", "classes", "threshold", "scores"],
)
def test_predictions_that_are_not_of_these_rows_are_refused(
    sealed: Shipped, tmp_path: Path, change: Callable[..., object]
) -> None:
    other = copied(sealed, tmp_path)
    kept = load_predictions(other / "predictions.npz")
    changed = KeptPredictions(change(kept.predictions), kept.manifest)  # type: ignore[arg-type]
    (other / "predictions.npz").write_bytes(predictions_to_npz(changed))
    refuses("diff.inconsistent-run", lambda: diff(sealed.folder, other))


def test_damaged_predictions_are_an_input_error(
    sealed: Shipped, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = copied(sealed, tmp_path)
    (other / "predictions.npz").write_bytes((other / "predictions.npz").read_bytes()[:100])
    assert run("diff", sealed.folder, other, "--json") == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "predictions.damaged"
