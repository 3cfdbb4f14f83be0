"""From a trained model to a sealed image, or to a refusal with reasons."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_world import PASSPHRASE, POLICY, World, carry_out, ticking, trail_of

from audit_pipeline.canonical import sha256_file
from audit_pipeline.errors import InputError, RejectedError, ToolError
from audit_pipeline.gate.judge import gate
from audit_pipeline.predictions_file import load_predictions
from audit_pipeline.report.evidence_file import load_evidence
from audit_pipeline.seal.decrypt import open_model
from audit_pipeline.seal.keys.load import load_recipient
from audit_pipeline.seal.profile import read
from audit_pipeline.ship import Shipped, ship
from audit_pipeline.trail.log import Trail


def test_a_model_that_holds_is_sealed(sealed: Shipped) -> None:
    assert sealed.evidence.verdict.outcome == "PASS"
    assert {path.name for path in sealed.folder.iterdir()} == {
        "evidence.json",
        "policy.yaml",
        "report.html",
        "report.md",
        "model.tflite",
        "predictions.npz",
        "firmware.bin",
        "verdict.dsse.json",
        "release.dsse.json",
        "svr.dsse.json",
    }


def test_the_device_finds_exactly_the_model_in_the_image(world: World, sealed: Shipped) -> None:
    image = read((sealed.folder / "firmware.bin").read_bytes())
    model = open_model(image, load_recipient(world.device_private, PASSPHRASE))
    assert model == (sealed.folder / "model.tflite").read_bytes()
    assert image.policy_sha256 == sha256_file(world.policy)


def test_a_refusal_leaves_its_reasons_and_no_image(refused: Shipped) -> None:
    assert refused.evidence.verdict.outcome == "FAIL"
    assert refused.evidence.verdict.reasons
    assert not (refused.folder / "firmware.bin").exists()
    assert not (refused.folder / "release.dsse.json").exists()
    assert (refused.folder / "verdict.dsse.json").exists()


def test_evidence_reads_back_as_it_was_written(sealed: Shipped) -> None:
    read_back = load_evidence(sealed.folder / "evidence.json")
    assert read_back == sealed.evidence
    assert read_back.canonical() == (sealed.folder / "evidence.json").read_bytes()


def test_evidence_keeps_no_row_of_data(sealed: Shipped) -> None:
    text = (sealed.folder / "evidence.json").read_text()
    assert "p24" not in text


def test_predictions_are_kept_without_the_people_they_are_of(world: World, sealed: Shipped) -> None:
    kept = load_predictions(sealed.folder / "predictions.npz")
    assert kept.predictions.scores.shape == (24 * 60, 2)
    assert kept.manifest is not None
    assert (sealed.folder / kept.manifest).resolve() == world.folder / "dataset.yaml"
    with np.load(sealed.folder / "predictions.npz") as arrays:
        assert set(arrays) == {"scores", "about"}


def test_whom_compression_changed_is_told_by_row_alone(sealed: Shipped) -> None:
    exemplars = sealed.evidence.exemplars
    assert exemplars is not None
    assert exemplars.rows == 24 * 60
    assert exemplars.changed == len(exemplars.listed) >= exemplars.lost + exemplars.gained
    assert [each.group.label for each in exemplars.groups].count("sex=female") == 1


def test_the_policy_is_registered_before_anything_is_evaluated(sealed: Shipped) -> None:
    with Trail.open(trail_of(sealed), create=False) as trail:
        kinds = [entry.kind for entry in trail.entries("sealed")]
        trail.verify()
    assert kinds == ["policy", "data", "model", "candidate", "findings", "verdict", "seal"]


def test_the_same_inputs_give_the_same_model(world: World, sealed: Shipped, tmp_path: Path) -> None:
    again = carry_out(world.request("again", tmp_path))
    assert again.evidence.candidate == sealed.evidence.candidate
    assert again.evidence.findings == sealed.evidence.findings


def test_a_finished_tflite_is_judged_as_it_is(world: World, sealed: Shipped, tmp_path: Path) -> None:
    model = tmp_path / "finished.tflite"
    shutil.copy(sealed.folder / "model.tflite", model)
    alone = carry_out(replace(world.request("alone", tmp_path), model=model))
    assert alone.evidence.verdict.outcome == "INCONCLUSIVE"
    beside = carry_out(replace(world.request("beside", tmp_path), model=model, baseline=world.model))
    assert beside.evidence.verdict.outcome == "PASS"
    assert beside.evidence.candidate.sha256 == sealed.evidence.candidate.sha256
    assert beside.evidence.groups == sealed.evidence.groups


def test_a_model_too_large_for_its_board_is_refused(world: World, tmp_path: Path) -> None:
    policy = world.folder / "tiny-board.yaml"
    policy.write_text(POLICY.replace("{board: nucleo-l4r5zi}", "{flash_kib: 1, ram_kib: 1}"))
    shipped = carry_out(replace(world.request("tiny", tmp_path), policy=policy))
    assert shipped.evidence.verdict.outcome == "FAIL"
    assert not shipped.evidence.footprint.fits


def test_a_run_is_never_overwritten(world: World, sealed: Shipped) -> None:
    request = replace(world.request("sealed", Path()), reports=sealed.folder.parent, trail=trail_of(sealed))
    with pytest.raises(InputError, match="exists already"):
        carry_out(request)


def test_a_wrong_passphrase_stops_before_any_work(world: World, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        ship(world.request("wrong", tmp_path), now=ticking(), passphrase=lambda _: b"guess")
    assert caught.value.code == "keys.wrong-passphrase"
    assert not (tmp_path / "audit.db").exists()
    assert list((tmp_path / "reports").iterdir()) == []


def test_a_run_that_cannot_be_logged_is_not_sealed(world: World, tmp_path: Path) -> None:
    (tmp_path / "audit.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises((ToolError, InputError, RejectedError)) as caught:
        carry_out(world.request("unlogged", tmp_path))
    assert caught.value.code.startswith("trail.")
    assert list((tmp_path / "reports").iterdir()) == []


def test_a_run_that_breaks_off_is_logged_and_leaves_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("audit_pipeline.run_folder._write", full)
    with pytest.raises(ToolError) as caught:
        carry_out(world.request("broken", tmp_path))
    assert caught.value.code == "run.write-failed"
    with Trail.open(tmp_path / "audit.db", create=False) as trail:
        entries = list(trail.entries("broken"))
    assert (entries[-1].kind, entries[-1].body) == ("aborted", {"code": "run.write-failed"})
    assert "seal" not in {entry.kind for entry in entries}
    assert list((tmp_path / "reports").iterdir()) == []


def test_a_run_name_is_used_once_in_a_trail(world: World, sealed: Shipped, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        carry_out(replace(world.request("sealed", tmp_path), trail=trail_of(sealed), seals=False))
    assert caught.value.code == "run.known"
    assert gate(sealed.folder, trail_of(sealed), world.demands()).evidence == sealed.evidence


@pytest.mark.parametrize("name", ["", ".", "../escaped", "a/b", "/tmp/absolute", "-x", "a\nb", "x" * 129])
def test_a_run_name_stays_in_its_folder(world: World, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        carry_out(world.request(name, tmp_path))
    assert caught.value.code == "run.bad-name"
    assert not (tmp_path / "audit.db").exists()


def test_verifying_needs_no_tensorflow(world: World, sealed: Shipped) -> None:
    program = (
        "import sys; from audit_pipeline.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "finally: assert 'tensorflow' not in sys.modules, 'tensorflow was imported'"
    )
    for arguments in (
        ["verify", str(sealed.folder / "firmware.bin"), "--signer", str(world.signer_public)],
        ["gate", str(sealed.folder), "--signer", str(world.signer_public), "--trail", trail_of(sealed)],
        ["log", "verify", "--trail", trail_of(sealed)],
        ["report", str(sealed.folder)],
        ["--help"],
    ):
        done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
