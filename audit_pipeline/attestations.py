"""What the attestations of a run say. All are drawn from its evidence's document alone, so that they cannot disagree.

The **verdict** is signed before there is an image: it speaks of the .tflite and of everything that was found. The
**release** is signed after: it ties the image, the whole evidence and the report to that verdict. The **summary** says
in the words of a generic policy engine what passed; it is one of the files that the release names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from audit_pipeline import run_folder
from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.evidence import unsealed_sha256
from audit_pipeline.seal.statement import RELEASE_TYPE, VERDICT_TYPE, Statement, Subject, make_statement
from audit_pipeline.seal.svr import svr_payload

Document = Mapping[str, Any]

_LATER = frozenset({"baseline", "waivers", "approvals"})
"""What verdicts say since releases can be waived and approved; an older one says nothing of it."""


def verdict_payload(evidence: Document) -> bytes:
    """The verdict attestation's payload; the same before and after sealing."""
    return make_statement([_model(evidence)], VERDICT_TYPE, _verdict_predicate(evidence))


def verdict_agrees(verdict: Statement, evidence: Document) -> bool:
    """Whether a verdict says what the evidence says, of the same model, and nothing besides."""
    drawn, said = _verdict_predicate(evidence), verdict.predicate
    silent_of = drawn.keys() - said.keys()
    if verdict.subjects != (_model(evidence),) or not said.keys() <= drawn.keys() or not silent_of <= _LATER:
        return False
    if "waivers" in silent_of and evidence.get("waivers"):
        return False
    # As bytes, because 1, 1.0 and true are equal to Python.
    return canonical_json(dict(said)) == canonical_json({key: drawn[key] for key in said})


def _model(evidence: Document) -> Subject:
    return Subject(run_folder.MODEL, evidence["candidate"]["sha256"])


def _verdict_predicate(evidence: Document) -> dict[str, Any]:
    run, policy, data, baseline = evidence["run"], evidence["policy"], evidence["data"], evidence.get("baseline")
    return {
        "run": run["id"],
        "created": run["created"],
        "tool": run["tool"],
        "libraries": run["libraries"],
        "evidence": {"sha256_without_seal": unsealed_sha256(evidence)},
        "policy": {"name": policy["name"], "sha256": policy["sha256"]},
        "data": {"name": data["name"], "sha256": data["sha256"], "synthetic": data["synthetic"]},
        "source": _file(evidence["source"]),
        "baseline": _file(baseline) if baseline else None,
        "candidate": evidence["candidate"],
        "findings": evidence["findings"],
        "verdict": evidence["verdict"],
        # Said though there are none: "none" is an answer, silence is not.
        "waivers": [{"sha256": waiver["sha256"]} for waiver in evidence.get("waivers", ())],
        # Whoever approves signs a statement about this one, so that none can be in it.
        "approvals": [],
        "trail": evidence.get("trail"),
    }


def _file(part: Document) -> dict[str, str]:
    return {"file": part["file"], "sha256": part["sha256"]}


def release_payload(evidence: Document, files: Mapping[str, bytes]) -> bytes:
    """The release attestation's payload.

    Args:
        evidence: of a sealed run.
        files: every other file of the run folder by name; the image and the evidence among them.

    Raises:
        ValueError: the evidence has no seal.
    """
    seal = _seal(evidence)
    return make_statement(
        [Subject(name, sha256_hex(content)) for name, content in sorted(files.items())],
        RELEASE_TYPE,
        {
            "run": evidence["run"]["id"],
            "verdict": {"sha256": seal["verdict_sha256"]},
            "image": {
                "sha256": seal["image_sha256"],
                "version": seal["version"],
                "security_counter": seal["security_counter"],
                "device": seal.get("device"),
                "device_class": seal.get("device_class"),
                "signer": seal["signer"],
                "recipient": seal["recipient"],
            },
        },
    )


def summary_payload(evidence: Document) -> bytes:
    """The summary's payload: a Simple Verification Result of the image and of the model in it.

    Raises:
        ValueError: the evidence has no seal. A refusal has no summary: what passed in it must not pass for the whole.
    """
    return svr_payload(
        [Subject(run_folder.IMAGE, _seal(evidence)["image_sha256"]), _model(evidence)],
        created=evidence["run"]["created"],
        properties=["AUDIT_VERDICT_PASS", *_passed(evidence)],
        policy=evidence["policy"]["name"],
        policy_sha256=evidence["policy"]["sha256"],
    )


def _passed(evidence: Document) -> Iterator[str]:
    """A property for each stage that the policy asked something of and that answered with nothing but PASS."""
    for stage in ("device", "fairness", "privacy"):
        outcomes = {finding["outcome"] for finding in evidence["findings"] if finding["stage"] == stage}
        if outcomes == {"PASS"}:
            yield f"AUDIT_{stage.upper()}_PASS"
    if evidence.get("trail") is not None:
        yield "AUDIT_POLICY_REGISTERED_FIRST"


def _seal(evidence: Document) -> Document:
    seal: Document | None = evidence.get("seal")
    if seal is None:
        raise ValueError("only a sealed run has a release")
    return seal
