"""What statements about a run are about: its verdict, by the digest of the attestation's payload, and its model.

The payload and not the file, because a signature could be made again: what is approved is what the verdict says.
"""

from __future__ import annotations

from audit_pipeline import run_folder
from audit_pipeline.seal.predicate import Predicate
from audit_pipeline.seal.statement import Statement, Subject, make_statement


def run_payload(predicate_type: str, said: Predicate, *, verdict_sha256: str, model_sha256: str) -> bytes:
    """The payload of a statement about a run, which whoever makes it signs.

    Args:
        predicate_type: of the statement's kind.
        said: what it says.
        verdict_sha256: digest of the verdict attestation's payload.
        model_sha256: of the .tflite.
    """
    subjects = Subject(run_folder.VERDICT, verdict_sha256), Subject(run_folder.MODEL, model_sha256)
    return make_statement(subjects, predicate_type, said.model_dump(mode="json"))


def speaks_of_run(statement: Statement, verdict_sha256: str) -> bool:
    """Whether a statement is about the run with this verdict, by the subject that names a verdict."""
    return [each.sha256 for each in statement.subjects if each.name == run_folder.VERDICT] == [verdict_sha256]
