"""What the two attestations of a run say. Both are drawn from `Evidence` alone, so that they cannot disagree with it.

The **verdict** is signed before there is an image: it speaks of the .tflite and of everything that was found. The
**release** is signed after: it ties the image, the whole evidence and the report to that verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit_pipeline import run_folder
from audit_pipeline.canonical import sha256_hex
from audit_pipeline.evidence import Evidence
from audit_pipeline.seal.statement import RELEASE_TYPE, VERDICT_TYPE, Subject, make_statement


def verdict_payload(evidence: Evidence) -> bytes:
    """The verdict attestation's payload; the same before and after sealing."""
    return make_statement(
        [Subject(run_folder.MODEL, evidence.candidate.sha256)], VERDICT_TYPE, _verdict_predicate(evidence)
    )


def _verdict_predicate(evidence: Evidence) -> dict[str, Any]:
    part = evidence.model_dump(mode="json", by_alias=True)
    return {
        "run": evidence.run.id,
        "created": evidence.run.created,
        "tool": evidence.run.tool,
        "libraries": part["run"]["libraries"],
        "evidence": {"sha256_without_seal": evidence.unsealed_sha256()},
        "policy": {"name": evidence.policy.name, "sha256": evidence.policy.sha256},
        "data": {"name": evidence.data.name, "sha256": evidence.data.sha256, "synthetic": evidence.data.synthetic},
        "source": {"file": evidence.source.file, "sha256": evidence.source.sha256},
        "candidate": part["candidate"],
        "findings": part["findings"],
        "verdict": part["verdict"],
        "trail": part["trail"],
    }


def release_payload(evidence: Evidence, files: Mapping[str, bytes]) -> bytes:
    """The release attestation's payload.

    Args:
        evidence: of a sealed run.
        files: every other file of the run folder by name; the image and the evidence among them.

    Raises:
        ValueError: the evidence has no seal.
    """
    if evidence.seal is None:
        raise ValueError("only a sealed run has a release")
    return make_statement(
        [Subject(name, sha256_hex(content)) for name, content in sorted(files.items())],
        RELEASE_TYPE,
        {
            "run": evidence.run.id,
            "verdict": {"sha256": evidence.seal.verdict_sha256},
            "image": {
                "sha256": evidence.seal.image_sha256,
                "version": evidence.seal.version,
                "security_counter": evidence.seal.security_counter,
            },
        },
    )
