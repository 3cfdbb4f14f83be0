"""The privacy audit from a policy to an attested verdict: what learnt by heart is refused, what did not is sealed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from privacy_world import PrivacyWorld, make_privacy_world
from small_world import PASSPHRASE, World

from audit_pipeline.cli.main import main
from audit_pipeline.errors import RejectedError
from audit_pipeline.evidence import Evidence
from audit_pipeline.gate.findings import check_findings
from audit_pipeline.gate.judge import gate
from audit_pipeline.measurement import Outcome
from audit_pipeline.policy.load import load_policy
from audit_pipeline.shadows.training import TrainingCode

Audit = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def there(world: World, tmp_path_factory: pytest.TempPathFactory) -> PrivacyWorld:
    return make_privacy_world(tmp_path_factory.mktemp("privacy"), world)


@pytest.fixture
def audit(there: PrivacyWorld, capsys: pytest.CaptureFixture[str]) -> Audit:
    """Runs a command of the tool on one of the networks: its exit code and its JSON."""

    def run(command: str, label: str, policy: Path, *more: str, cache: bool = True) -> tuple[int, dict[str, Any]]:
        kept = ("--cache", str(there.folder / "cache")) if cache else ("--no-cache",)
        with pytest.raises(SystemExit) as ended:
            main([command, str(there.model(label)), "--policy", str(policy), "--json", *kept, *more])
        return int(ended.value.code or 0), json.loads(capsys.readouterr().out)

    return run


def ship(there: PrivacyWorld, label: str, audit: Audit) -> tuple[int, Path]:
    """A whole run with keys; its exit code and its folder."""
    out, into = os.pipe()
    os.write(into, PASSPHRASE + b"\n")
    os.close(into)
    more = ("--allow-code", "--jobs", "1", "--run", label, "--reports", str(there.folder / "reports"))
    trail = ("--trail", str(there.folder / f"{label}.db"), "--passphrase-fd", str(out))
    code, said = audit("ship", label, there.policy(label), *more, *trail)
    return code, Path(said["folder"])


def outcomes(findings: list[dict[str, Any]]) -> dict[str, str]:
    return {finding["id"]: finding["outcome"] for finding in findings if finding["stage"] == "privacy"}


def test_a_network_that_learnt_by_heart_is_refused_by_an_attested_verdict(
    there: PrivacyWorld, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, folder = ship(there, "chance", audit)
    assert code == 1
    evidence = Evidence.model_validate_json((folder / "evidence.json").read_bytes())
    found = {finding.id: finding for finding in evidence.findings if finding.stage == "privacy"}
    assert found["privacy.membership.shadows.fpr=0.1:overall"].outcome is Outcome.FAIL
    assert {"privacy.membership.shadows.fpr=0.1:sex=female", "privacy.disparity.fpr=0.1:sex"} <= found.keys()
    assert evidence.privacy is not None and evidence.privacy.shadows is not None
    assert (evidence.privacy.shadows.count, evidence.privacy.shadows.halves_of) == (4, "rows")
    assert {part.signal for part in evidence.membership} == {"output", "logits"}
    assert {part.model for part in evidence.membership} == {"float", "device"}
    assert evidence.privacy.changes
    assert gate(folder, str(there.folder / "chance.db"), there.keys.demands()).evidence == evidence

    policy = load_policy(folder / "policy.yaml")
    forged = [
        finding.model_copy(update={"outcome": Outcome.PASS, "breach": None})
        if finding.id.startswith("privacy.membership")
        else finding
        for finding in evidence.findings
    ]
    with pytest.raises(RejectedError, match=r"privacy\.membership\.shadows"):
        lie = evidence.model_copy(update={"findings": tuple(forged)})
        check_findings(lie, policy.value, policy.board, evidence.footprint.flash_bytes)

    monkeypatch.setattr(TrainingCode, "train", lambda *_: pytest.fail("the shadows were kept"))
    code, said = audit("privacy", "chance", there.policy("chance"), "--allow-code", "--jobs", "1")
    assert code == 1
    assert outcomes(said["findings"]) == {each.id: each.outcome.value for each in found.values()}


def test_a_network_that_learnt_in_general_is_sealed(there: PrivacyWorld, audit: Audit) -> None:
    code, folder = ship(there, "rule", audit)
    assert code == 0
    assert (folder / "firmware.bin").is_file()
    evidence = gate(folder, str(there.folder / "rule.db"), there.keys.demands()).evidence
    assert {finding.outcome for finding in evidence.findings if finding.stage == "privacy"} == {Outcome.PASS}
    assert "shadow" in (folder / "report.md").read_text()


def test_code_beside_a_policy_is_not_run_unasked(there: PrivacyWorld, audit: Audit) -> None:
    for command in ("privacy", "ship", "evaluate"):
        code, said = audit(command, "rule", there.policy("rule"))
        assert (code, said["error"]["code"]) == (2, "privacy.code-not-allowed")


def test_a_dry_run_says_what_will_be_trained(there: PrivacyWorld, audit: Audit) -> None:
    code, said = audit("ship", "rule", there.policy("rule"), "--dry-run")
    assert code == 0
    assert any("4 models" in line for line in said["shadows"])
    assert any("--allow-code, which is missing" in line for line in said["shadows"])
    allowed = audit("ship", "rule", there.policy("rule"), "--dry-run", "--allow-code")[1]
    assert not any("missing" in line for line in allowed["shadows"])


LIST = (
    "privacy:\n  training: train:by_heart\n  shadows: 4\n  rules:\n",
    "privacy:\n",
)
WEAK = ("attacker: shadows, ", "")


def as_a_list(policy: str) -> str:
    return policy[: policy.index("    - {attack: disparity")] + policy[policy.index("seal:") :]


def test_rules_as_a_list_and_as_an_object_are_judged_alike(there: PrivacyWorld, audit: Audit, tmp_path: Path) -> None:
    """Neither needs shadow models, whose settings the object may hold all the same."""
    listed = there.policy("chance", LIST, WEAK, name="listed")
    listed.write_text(as_a_list(listed.read_text()))
    keyed = there.policy("chance", WEAK, name="keyed")
    keyed.write_text(as_a_list(keyed.read_text()))
    code, said = audit("privacy", "chance", listed, "--out", str(tmp_path / "result.json"))
    assert json.loads((tmp_path / "result.json").read_text()) == said
    assert said["privacy"] is None
    assert {part["strength"] for part in said["membership"]} == {"weak"}
    assert "privacy.membership.fpr=0.1:overall" in outcomes(said["findings"])
    again = audit("privacy", "chance", keyed)
    assert again[0] == code
    assert again[1]["findings"] == said["findings"]


def test_what_else_ships_is_searched_and_judged_with_the_model(
    there: PrivacyWorld, audit: Audit, tmp_path: Path
) -> None:
    policy = there.policy("chance", LIST, WEAK, name="also")
    policy.write_text(as_a_list(policy.read_text()))
    firmware = tmp_path / "firmware.bin"
    firmware.write_bytes(bytes(200) + b"built in /home/maria/release/main.c" + bytes(200))
    code, said = audit("privacy", "chance", policy, "--also", str(firmware))
    assert code == 1
    assert outcomes(said["findings"])["privacy.blob_scan.max_hits:overall"] == "FAIL"
    assert [hit["where"] for hit in said["blob_scan"]["hits"]] == ["firmware.bin"]
    assert audit("privacy", "chance", policy, "--also", str(tmp_path / "nothing.bin"))[0] == 2


def rewritten(there: PrivacyWorld, tmp_path: Path, **splits: dict[str, Any]) -> Path:
    """The policy of the network that learnt by heart, over splits that were changed."""
    for name in ("train", "calibration", "evaluation"):
        arrays = dict(np.load(there.folder / f"{name}.npz")) | splits.get(name, {})
        np.savez(tmp_path / f"{name}.npz", **arrays)
    for name in ("train.py", "chance.yaml"):
        (tmp_path / name).write_bytes((there.folder / name).read_bytes())
    policy = tmp_path / "policy.yaml"
    policy.write_bytes(there.policy("chance").read_bytes())
    return policy


def arrays_of(there: PrivacyWorld, split: str) -> dict[str, Any]:
    return dict(np.load(there.folder / f"{split}.npz"))


@pytest.mark.parametrize(
    ("split", "reason"),
    [("train", "19 training rows are too few"), ("evaluation", "19 rows that were not trained on are too few")],
)
def test_too_few_on_either_side_are_inconclusive(
    there: PrivacyWorld, audit: Audit, tmp_path: Path, split: str, reason: str
) -> None:
    few = {name: values[:19] for name, values in arrays_of(there, split).items()}
    code, said = audit("privacy", "chance", rewritten(there, tmp_path, **{split: few}), "--allow-code")
    assert code == 3, said
    assert reason in said["privacy"]["reasons"][0]
    attacked = {each["id"]: each for each in said["findings"] if "shadows" in each["id"]}
    assert {each["outcome"] for each in attacked.values()} == {"INCONCLUSIVE"}
    assert all(reason in each["reason"] for each in attacked.values())


def test_a_class_that_nobody_has_is_refused(there: PrivacyWorld, audit: Audit, tmp_path: Path) -> None:
    alike = {
        split: {"chance": np.ones_like(arrays_of(there, split)["chance"])}
        for split in ("train", "calibration", "evaluation")
    }
    code, said = audit("privacy", "chance", rewritten(there, tmp_path, **alike), "--allow-code")
    assert (code, said["error"]["code"]) == (2, "data.class-absent"), said


def test_members_among_the_strangers_are_left_out_and_told(there: PrivacyWorld, audit: Audit, tmp_path: Path) -> None:
    known, strangers = arrays_of(there, "train"), arrays_of(there, "evaluation")
    both = {name: np.concatenate([strangers[name][:15], known[name][:30]]) for name in known}
    code, said = audit("privacy", "chance", rewritten(there, tmp_path, evaluation=both), "--allow-code")
    assert code == 3, said
    [reason] = said["privacy"]["reasons"]
    assert "15 rows that were not trained on are too few" in reason
    assert "30 rows of the evaluation split stand in the train split too and were left out" in reason


def test_a_person_on_both_sides_is_refused(there: PrivacyWorld, audit: Audit, tmp_path: Path) -> None:
    named = {
        split: {"person": np.array([f"{split}-{row}" if row else "everywhere" for row in range(size)])}
        for split, size in (("train", 240), ("calibration", 60), ("evaluation", 240))
    }
    policy = rewritten(there, tmp_path, **named)
    manifest = tmp_path / "chance.yaml"
    manifest.write_text(manifest.read_text().replace("groups:", "subject: person\ngroups:"))
    code, said = audit("privacy", "chance", policy, "--allow-code")
    assert (code, said["error"]["code"]) == (2, "data.subject-shared")


def test_a_data_set_without_a_training_split_is_refused(there: PrivacyWorld, audit: Audit, tmp_path: Path) -> None:
    policy = rewritten(there, tmp_path)
    manifest = tmp_path / "chance.yaml"
    manifest.write_text(manifest.read_text().replace("train: train.npz, ", ""))
    code, said = audit("privacy", "chance", policy, "--allow-code")
    assert (code, said["error"]["code"]) == (2, "data.missing-key"), said
    assert "splits.train" in said["error"]["what"]


def test_a_model_with_one_answer_for_all_is_inconclusive(there: PrivacyWorld, audit: Audit, tmp_path: Path) -> None:
    from audit_pipeline.model.intake import inspect_model
    from audit_pipeline.model.load import load_keras
    from audit_pipeline.model.runtime import quiet

    model = load_keras(inspect_model(there.model("rule")))
    *hidden, weights, _ = model.get_weights()
    model.set_weights([*hidden, weights * 1e-6, np.array([5.0, -4.0])])
    with quiet():
        model.save(there.folder / "silent.h5")
    policy = there.policy("rule", ("accuracy, min: 0.1", "accuracy, min: 0.01"), name="silent")
    code, said = audit("privacy", "silent", policy, "--allow-code")
    assert code == 3, said
    assert "one and the same answer" in said["privacy"]["reasons"][0]


@pytest.mark.bench
def test_two_processes_find_what_one_finds(there: PrivacyWorld, audit: Audit) -> None:
    more = ("--allow-code", "--jobs")
    one, two = (audit("privacy", "rule", there.policy("rule"), *more, jobs, cache=False) for jobs in ("1", "2"))
    assert one == two
