"""The bytes that a statement about a run is about: its verdict, by the digest of the attestation's payload, and model.

The payload and not the file, because a signature could be made again: what is approved is what the verdict says.
"""

from __future__ import annotations

from audit_pipeline import run_folder
from audit_pipeline.seal.statement import Statement, Subject


def run_subjects(verdict_sha256: str, model_sha256: str) -> tuple[Subject, Subject]:
    """The subjects of a statement about a run.

    Args:
        verdict_sha256: digest of the verdict attestation's payload.
        model_sha256: of the .tflite.
    """
    return Subject(run_folder.VERDICT, verdict_sha256), Subject(run_folder.MODEL, model_sha256)


def speaks_of_run(statement: Statement, verdict_sha256: str) -> bool:
    """Whether a statement is about the run with this verdict, by the subject that names a verdict."""
    return [each.sha256 for each in statement.subjects if each.name == run_folder.VERDICT] == [verdict_sha256]
