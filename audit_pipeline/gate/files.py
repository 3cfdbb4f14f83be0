"""The files of a run's folder as the gate reads them: all that must be there, none that may not, each as named."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit_pipeline import run_folder
from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.errors import RejectedError
from audit_pipeline.evidence import Evidence
from audit_pipeline.regular_file import read_regular_file
from audit_pipeline.report.evidence_file import EvidenceFile, read_evidence

_OF_A_SEAL = (run_folder.IMAGE, run_folder.RELEASE, run_folder.SUMMARY, run_folder.MODEL_SIGNATURE)
_LARGEST_BYTES = 1 << 30
"""Of one file; the largest are the predictions, a few bytes for each row and class of the evaluation split."""


@dataclass(frozen=True)
class RunFiles:
    """A run's folder, read once: what is checked later are these bytes."""

    folder: Path
    evidence: Evidence
    document: Mapping[str, Any]
    """The evidence as its file has it; what was signed and logged is drawn from this."""
    files: Mapping[str, bytes]


def read_run(folder: Path) -> RunFiles:
    """Read a run's folder, and hold evidence, policy and model against the digests that the evidence gives.

    Raises:
        RejectedError: `gate.missing-file`, `gate.stray-image` or `gate.digest`.
        InputError: the evidence is none (see `read_evidence`).
    """
    found = read_evidence(folder / run_folder.EVIDENCE)
    files = {name: _read(folder, name) for name in _wanted(found.value)}
    _refuse_stray(folder, found.value, files)
    _check_digests(found, files)
    return RunFiles(folder, found.value, found.document, files)


def _wanted(evidence: Evidence) -> Iterator[str]:
    yield from (run_folder.EVIDENCE, run_folder.POLICY, run_folder.MODEL, run_folder.HTML, run_folder.MARKDOWN)
    yield run_folder.VERDICT
    if evidence.kernels is not None:
        yield run_folder.PREDICTIONS
    yield from (run_folder.waiver(part.sha256) for part in evidence.waivers)
    if evidence.seal is not None:
        yield from (run_folder.IMAGE, run_folder.RELEASE, run_folder.SUMMARY)
        if evidence.seal.model_signer is not None:
            yield run_folder.MODEL_SIGNATURE


def _read(folder: Path, name: str) -> bytes:
    try:
        return read_regular_file(folder / name, largest_bytes=_LARGEST_BYTES)
    except OSError as error:
        hint = None
        if name == run_folder.VERDICT:
            hint = "only a run with a seal section, made by `audit ship`, is attested and can be gated"
        raise RejectedError(
            "gate.missing-file", f"{name} cannot be read: {error.strerror}", where=str(folder), hint=hint
        ) from error


def _refuse_stray(folder: Path, evidence: Evidence, files: Mapping[str, bytes]) -> None:
    stray = [name for name in _OF_A_SEAL if name not in files and os.path.lexists(folder / name)]
    if stray:
        raise RejectedError(
            "gate.stray-image",
            f"{' and '.join(stray)} beside a verdict of {evidence.verdict.outcome} that sealed no such thing",
            where=str(folder),
            hint="treat it as hostile: audit never puts it there",
        )


def _check_digests(found: EvidenceFile, files: Mapping[str, bytes]) -> None:
    expected = {
        run_folder.EVIDENCE: sha256_hex(canonical_json(found.document)),
        run_folder.POLICY: found.value.policy.sha256,
        run_folder.MODEL: found.value.candidate.sha256,
    }
    for name, digest in expected.items():
        actual = sha256_hex(files[name])
        if actual != digest:
            raise RejectedError("gate.digest", f"its SHA-256 is {actual[:16]}…, not {digest[:16]}…", where=name)
