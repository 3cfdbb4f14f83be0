"""What each entry of a run says in the trail, drawn from the parts of its evidence as JSON values (`Part.to_json`).

`ship` writes them as the parts come to be; the gate draws them again from the whole document and compares, so an entry
that says anything else, or is missing, or stands in another order, is noticed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.evidence import unsealed_sha256
from audit_pipeline.policy.changes import rules_of

Body = dict[str, Any]
Document = Mapping[str, Any]


def policy_entry(part: Document) -> Body:
    """The policy's digest, the people's answers, what it asks, and how that differs from what it asked before.

    All of it is registered before anything is evaluated. What a run is judged by is kept, so that the next policy of
    this name can be held against it. A part that an older version wrote gives what that version entered.
    """
    document = part["document"]
    body = {"name": part["name"], "sha256": part["sha256"], "human_centred": document["human_centred"]}
    return {**body, "rules": rules_of(document), "changed": part["changed"]} if "changed" in part else body


def data_entry(part: Document) -> Body:
    """The data set's digest, why it may be used, and until when; of an older version's part the digest alone."""
    said = ("name", "sha256", "lawful_basis", "retention_until")
    return {key: part[key] for key in said if key in part}


def model_entry(source: Document, baseline: Document | None) -> Body:
    """The source model's digest, and that of the float model behind a finished .tflite."""
    return {
        "file": source["file"],
        "sha256": source["sha256"],
        "baseline_sha256": baseline["sha256"] if baseline else None,
    }


def candidate_entry(part: Document) -> Body:
    """The candidate with the recipe that made it: every recipe that was tried stays on record."""
    return dict(part)


def findings_entry(findings: Sequence[Document], verdict: Document) -> Body:
    """The digest of all findings, and how many had which outcome."""
    return {"sha256": sha256_hex(canonical_json(list(findings))), "counts": verdict["counts"]}


def verdict_entry(evidence: Document, files: Mapping[str, bytes]) -> Body:
    """The outcome, and the digests of the run's files as they are before a seal.

    Without a seal these are all its files, reports included: a refusal's page cannot be rewritten unseen either. A run
    that was decided again names the one that was measured, and the waivers that the outcome rests on.
    """
    origin = evidence.get("origin")
    again = (
        {"of_run": origin["run"]["id"], "waivers": [part["sha256"] for part in evidence["waivers"]]} if origin else {}
    )
    return {
        "outcome": evidence["verdict"]["outcome"],
        "evidence_sha256_without_seal": unsealed_sha256(evidence),
        "files": {name: sha256_hex(content) for name, content in sorted(files.items())},
        **again,
    }


def seal_entry(part: Document, release: bytes) -> Body:
    """The image, its line of releases and its keys by fingerprint, and the digest of the release attestation."""
    return {**part, "release_sha256": sha256_hex(release)}
