"""`audit ship` on real hearts: the ECG example, from PhysioNet's files to a verdict in the device's arithmetic."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit_pipeline.cli.main import main
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import Evidence
from audit_pipeline.findings import MetricComparison
from audit_pipeline.measurement import Measured
from audit_pipeline.policy.load import load_policy
from audit_pipeline.policy.privacy import PrivacySection
from audit_pipeline.report.evidence_file import load_evidence
from audit_pipeline.seal.keys.load import new_key
from audit_pipeline.shadows.training import training_code

MITDB = Path(__file__).parents[3] / "shared" / "data" / "mitdb"
EXAMPLE = Path(__file__).parents[2] / "examples" / "ecg"
DE_CHAZAL_ACCURACY, DE_CHAZAL_RECALL_V = 0.859, 0.777
EXIT_CODES = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}

pytestmark = pytest.mark.skipif(not MITDB.is_dir(), reason=f"{MITDB} is not there")


def thin_out(split: Path, every: int) -> None:
    """Keep one row in so many; a recording has thousands, so that everybody stays."""
    with np.load(split) as arrays:
        kept = {name: array[::every] for name, array in arrays.items()}
    np.savez(split, **kept)


@pytest.fixture(scope="module")
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, prepared, with one row in so many of those who train and those who judge."""
    folder = tmp_path_factory.mktemp("ecg")
    work = folder / "work"
    command = [sys.executable, str(EXAMPLE / "prepare.py"), "--mitdb", str(MITDB), "--out", str(work)]
    subprocess.run(command, check=True, capture_output=True)
    for split in ("train", "evaluation"):
        thin_out(work / f"{split}.npz", request.param)
    for name in ("int8.yaml", "pruned.yaml", "model.h5"):
        shutil.copy(EXAMPLE / name, folder)
    new_key("ed25519", work / "release", b"real data", log2_n=14)
    new_key("x25519", work / "device", b"real data", log2_n=14)
    return folder


def ship(folder: Path, policy: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Evidence]:
    monkeypatch.setenv("AUDIT_PASSPHRASE", "real data")
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as caught:
        main(["ship", "model.h5", "--policy", f"{policy}.yaml", "--run", policy, "--json"])
    assert isinstance(caught.value.code, int)
    return caught.value.code, load_evidence(folder / "reports" / policy / "evidence.json")


def overall(evidence: Evidence, label: str) -> MetricComparison:
    return next(metric for metric in evidence.groups[0].metrics if metric.metric.label == label)


def device_value_before(evidence: Evidence, label: str) -> float:
    before = overall(evidence, label).before
    assert isinstance(before, Measured)
    return before.estimate


def device_value(evidence: Evidence, label: str) -> float:
    after = overall(evidence, label).after
    assert isinstance(after, Measured)
    return after.estimate


@pytest.mark.parametrize("example", [5, pytest.param(1, marks=pytest.mark.bench)], indirect=True)
def test_real_hearts_are_judged_in_the_devices_arithmetic(
    example: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One beat in five every day; all ninety thousand by `make bench-tests`."""
    code, evidence = ship(example, "int8", monkeypatch)
    summary: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert code == EXIT_CODES[evidence.verdict.outcome]
    assert summary["verdict"]["outcome"] == evidence.verdict.outcome
    assert (example / "reports" / "int8" / "firmware.bin").exists() == (evidence.verdict.outcome == "PASS")

    assert evidence.kernels is not None
    assert evidence.kernels.used == "tflite-micro" or evidence.kernels.differing_rows == 0
    assert evidence.footprint.fits
    assert evidence.candidate.size_bytes < 100_000
    assert evidence.groups[0].subjects == 22
    assert device_value(evidence, "accuracy") > DE_CHAZAL_ACCURACY
    assert device_value(evidence, "recall of V") > DE_CHAZAL_RECALL_V
    assert not evidence.data.synthetic


@pytest.mark.bench
@pytest.mark.parametrize("example", [1], indirect=True)
def test_pruning_too_hard_is_not_sealed(
    example: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, evidence = ship(example, "pruned", monkeypatch)
    capsys.readouterr()
    assert code == 3
    men = next(f for f in evidence.findings if f.id == "fairness.recall.S.max_drop:sex=M")
    assert men.breach is not None
    assert men.breach.p <= men.breach.level < men.breach.adjusted_p  # alone it would fail, among 25 tests it does not
    recall = next(m for m in evidence.groups[0].metrics if m.metric.label == "recall of S")
    assert recall.change is not None
    assert recall.change.adjusted_p < 0.01  # that it changed is sure, by how much in others is not
    assert device_value(evidence, "accuracy") > device_value_before(evidence, "accuracy")
    assert device_value(evidence, "recall of S") == 0
    assert evidence.seal is None
    assert not (example / "reports" / "pruned" / "firmware.bin").exists()


def test_every_policy_of_the_example_can_be_read() -> None:
    read = {path.name: load_policy(path).value for path in sorted(EXAMPLE.glob("*.yaml"))}
    assert set(read) == {"int8.yaml", "policy.yaml", "privacy.yaml", "pruned.yaml"}
    section = read["privacy.yaml"].privacy
    assert isinstance(section, PrivacySection)
    assert isinstance(section.training, str)
    assert section.rules[:2] == read["int8.yaml"].privacy, "nothing was loosened"
    code = training_code(section.training, EXAMPLE, allow_code=True, where="privacy.yaml")
    assert (code.path, code.function) == (EXAMPLE / "train.py", "shadow")
    with pytest.raises(InputError, match="code is run only where that is allowed"):
        training_code(section.training, EXAMPLE, allow_code=False, where="privacy.yaml")
