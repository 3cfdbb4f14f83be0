"""The gate: a run is judged again from its bytes, and what was touched, forged or withheld is refused."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from small_world import PASSPHRASE, World, trail_of

from audit_pipeline.attestations import verdict_payload
from audit_pipeline.decide import decide
from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.evidence import Evidence
from audit_pipeline.gate.judge import gate
from audit_pipeline.measurement import Outcome
from audit_pipeline.policy.load import load_policy
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.load import load_signer
from audit_pipeline.ship import Shipped
from audit_pipeline.trail.log import Trail


def test_the_gate_confirms_both_verdicts(world: World, sealed: Shipped, refused: Shipped) -> None:
    assert gate(sealed.folder, trail_of(sealed), world.demands()).evidence == sealed.evidence
    assert gate(refused.folder, trail_of(refused), world.demands()).evidence == refused.evidence


@pytest.mark.parametrize(
    "name",
    [
        "evidence.json",
        "policy.yaml",
        "model.tflite",
        "predictions.npz",
        "firmware.bin",
        "report.html",
        "verdict.dsse.json",
        "release.dsse.json",
        "svr.dsse.json",
    ],
)
def test_the_gate_rejects_a_file_that_was_touched(world: World, sealed: Shipped, tmp_path: Path, name: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(sealed.folder, run)
    content = bytearray((run / name).read_bytes())
    content[len(content) // 2] ^= 1
    (run / name).write_bytes(bytes(content))
    with pytest.raises((RejectedError, InputError)):
        gate(run, trail_of(sealed), world.demands())


def test_the_gate_rejects_a_refusal_dressed_as_a_pass(world: World, refused: Shipped, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(refused.folder, run)
    document = json.loads((run / "evidence.json").read_text())
    for finding in document["findings"]:
        finding["outcome"] = "PASS"
    document["verdict"] = {"outcome": "PASS", "reasons": [], "counts": {}}
    forged = Evidence.model_validate(document)
    (run / "evidence.json").write_bytes(forged.canonical())
    with pytest.raises(RejectedError):
        gate(run, trail_of(refused), world.demands())


def test_the_gate_rejects_a_pass_that_the_key_of_verdicts_signed_against_its_numbers(
    world: World, refused: Shipped, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(refused.folder, run)
    passed = tuple(each.model_copy(update={"outcome": Outcome.PASS}) for each in refused.evidence.findings)
    verdict = decide(passed, load_policy(run / "policy.yaml").value)
    assert verdict.outcome is Outcome.PASS
    forged = refused.evidence.model_copy(update={"findings": passed, "verdict": verdict})
    (run / "evidence.json").write_bytes(forged.canonical())
    maker = load_signer(world.folder / "maker.key.pem", PASSPHRASE)
    (run / "verdict.dsse.json").write_bytes(dsse.sign(verdict_payload(forged.to_json()), [maker]))
    with pytest.raises(RejectedError) as caught:
        gate(run, trail_of(refused), world.demands())
    assert caught.value.code == "gate.finding"
    broken = next(each for each in refused.evidence.findings if each.outcome is not Outcome.PASS)
    assert broken.id in caught.value.what


def test_the_gate_rejects_a_stray_image(world: World, sealed: Shipped, refused: Shipped, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(refused.folder, run)
    shutil.copy(sealed.folder / "firmware.bin", run)
    with pytest.raises(RejectedError) as caught:
        gate(run, trail_of(refused), world.demands())
    assert caught.value.code == "gate.stray-image"


@pytest.mark.parametrize("put", [os.mkfifo, Path.mkdir, lambda place: place.symlink_to("/dev/zero")])
def test_the_gate_waits_for_nobody_who_writes_to_a_pipe(
    world: World, sealed: Shipped, tmp_path: Path, put: Callable[[Path], None]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(sealed.folder, run)
    (run / "report.md").unlink()
    put(run / "report.md")
    with pytest.raises(RejectedError) as caught:
        gate(run, trail_of(sealed), world.demands())
    assert caught.value.code == "gate.missing-file"


def test_an_image_that_is_yet_to_come_is_a_stray_one(world: World, refused: Shipped, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(refused.folder, run)
    (run / "firmware.bin").symlink_to("../later.bin")
    with pytest.raises(RejectedError) as caught:
        gate(run, trail_of(refused), world.demands())
    assert caught.value.code == "gate.stray-image"


def test_the_gate_rejects_a_seal_that_was_taken_off(world: World, sealed: Shipped, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(sealed.folder, run)
    (run / "firmware.bin").unlink()
    (run / "release.dsse.json").unlink()
    (run / "svr.dsse.json").unlink()
    (run / "evidence.json").write_bytes(sealed.evidence.model_copy(update={"seal": None}).canonical())
    with pytest.raises(RejectedError) as caught:
        gate(run, trail_of(sealed), world.demands())
    assert caught.value.code == "gate.trail"


@pytest.mark.parametrize("name", ["report.html", "report.md", "predictions.npz"])
def test_the_gate_rejects_a_refusal_whose_files_say_something_else(
    world: World, refused: Shipped, tmp_path: Path, name: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(refused.folder, run)
    (run / name).write_text("SEALED: all is well")
    with pytest.raises(RejectedError) as caught:
        gate(run, trail_of(refused), world.demands())
    assert caught.value.code == "gate.trail"


def test_the_gate_rejects_a_policy_that_was_registered_after_the_findings(
    world: World, refused: Shipped, tmp_path: Path
) -> None:
    """A whole new log, consistent in itself, in which only the order is another."""
    with Trail.open(trail_of(refused), create=False) as trail:
        entries = list(trail.entries())
    forged = tmp_path / "forged.db"
    with Trail.open(forged) as trail:
        for entry in sorted(entries, key=lambda entry: entry.kind != "findings"):
            head = trail.append(entry.kind, run=entry.run, at=entry.at, body=entry.body).head
    part = refused.evidence.trail
    assert part is not None
    run = tmp_path / "run"
    shutil.copytree(refused.folder, run)
    moved = part.model_copy(update={"policy_index": 1, "size": head.size, "root": head.root})
    (run / "evidence.json").write_bytes(refused.evidence.model_copy(update={"trail": moved}).canonical())
    with pytest.raises(RejectedError):
        gate(run, str(forged), world.demands())


def test_the_gate_can_ask_for_one_policy(world: World, sealed: Shipped, tmp_path: Path) -> None:
    assert gate(sealed.folder, trail_of(sealed), world.demands(policy=world.policy)).evidence == sealed.evidence
    stricter = tmp_path / "stricter.yaml"
    stricter.write_text(world.policy.read_text().replace("0.2", "0.1"))
    with pytest.raises(RejectedError) as caught:
        gate(sealed.folder, trail_of(sealed), world.demands(policy=stricter))
    assert caught.value.code == "gate.other-policy"


def test_the_gate_rejects_another_log(world: World, sealed: Shipped, refused: Shipped) -> None:
    with pytest.raises(RejectedError):
        gate(sealed.folder, trail_of(refused), world.demands())
