"""The release gate: a run is judged again from its bytes, by somebody who trusts only a public key and the trail.

Nothing the run says of itself is taken for granted: digests are recomputed, the verdict is decided again from the
findings and the policy's own bytes, both attestations must say exactly what the evidence says, and the trail must hold
the policy's entry before the findings' and have passed through the head that the evidence names.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit_pipeline import run_folder
from audit_pipeline.attestations import release_payload, verdict_payload
from audit_pipeline.canonical import sha256_hex
from audit_pipeline.decide import decide
from audit_pipeline.entries import (
    Body,
    candidate_entry,
    data_entry,
    findings_entry,
    model_entry,
    policy_entry,
    seal_entry,
    verdict_entry,
)
from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import Outcome
from audit_pipeline.policy.load import load_policy
from audit_pipeline.report.evidence_file import load_evidence
from audit_pipeline.seal import dsse
from audit_pipeline.seal.verify import Companions, Trust, verify
from audit_pipeline.trail.entry import Kind
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.merkle import TreeHead


@dataclass(frozen=True)
class Gated:
    """A run whose record holds. Whether it may be released is its verdict's to say."""

    evidence: Evidence
    checks: tuple[str, ...]
    """What was checked, in order, in words."""


def gate(folder: Path, signer: Ed25519PublicKey, trail: str, policy: Path | None = None) -> Gated:
    """Check a run's folder against a public key and the trail.

    Args:
        folder: the run's folder.
        signer: the key that must have signed the attestations and the image; it never comes from the folder.
        trail: file or URL of the trail the run was entered in.
        policy: the policy that the release was to be judged by; None to take the run's own.

    Raises:
        RejectedError: the first thing that does not hold.
        InputError: the folder is not a run's, or there is no trail.
    """
    evidence = load_evidence(folder / run_folder.EVIDENCE)
    if policy is not None and load_policy(policy).sha256 != evidence.policy.sha256:
        raise RejectedError(
            "gate.other-policy",
            f"the run was judged by another policy ({evidence.policy.name}) than this one",
            where=str(policy),
            hint="`audit log` shows when each was registered; ship again under this policy",
        )
    files = _files(folder, evidence)
    _check_bytes(evidence, files)
    _check_verdict(evidence, folder)
    _check_attested(evidence, files, signer)
    _check_image(evidence, files, signer)
    _check_trail(evidence, files, trail)
    return Gated(
        evidence,
        (
            "evidence, policy and model are the bytes that their digests name",
            "the verdict follows from the findings",
            "the verdict attestation is signed and says what the evidence says",
            "the image is signed, bound to this verdict, policy and model, and released byte for byte"
            if evidence.seal
            else "there is no image, as it must be",
            "the trail holds this run's entries and no others, the policy's before the findings'",
        ),
    )


def _files(folder: Path, evidence: Evidence) -> dict[str, bytes]:
    """Every file of the folder that takes part; a file that must be there and is not is rejected."""
    wanted = [run_folder.EVIDENCE, run_folder.POLICY, run_folder.MODEL, run_folder.HTML, run_folder.MARKDOWN]
    wanted.append(run_folder.VERDICT)
    if evidence.kernels is not None:
        wanted.append(run_folder.PREDICTIONS)
    if evidence.seal:
        wanted += [run_folder.IMAGE, run_folder.RELEASE]
    files = {}
    for name in wanted:
        try:
            files[name] = (folder / name).read_bytes()
        except OSError as error:
            hint = None
            if name == run_folder.VERDICT:
                hint = "only a run with a seal section, made by `audit ship`, is attested and can be gated"
            raise RejectedError(
                "gate.missing-file", f"{name} cannot be read: {error.strerror}", where=str(folder), hint=hint
            ) from error
    stray = [name for name in (run_folder.IMAGE, run_folder.RELEASE) if name not in wanted and (folder / name).exists()]
    if stray:
        raise RejectedError(
            "gate.stray-image",
            f"{' and '.join(stray)} beside a verdict of {evidence.verdict.outcome} that sealed nothing",
            where=str(folder),
            hint="treat it as hostile: audit never puts it there",
        )
    return files


def _check_bytes(evidence: Evidence, files: dict[str, bytes]) -> None:
    expected = {
        run_folder.EVIDENCE: sha256_hex(evidence.canonical()),
        run_folder.POLICY: evidence.policy.sha256,
        run_folder.MODEL: evidence.candidate.sha256,
    }
    for name, digest in expected.items():
        found = sha256_hex(files[name])
        if found != digest:
            raise RejectedError(
                "gate.digest", f"its SHA-256 is {found[:16]}…, the evidence says {digest[:16]}…", where=name
            )


def _check_verdict(evidence: Evidence, folder: Path) -> None:
    policy = load_policy(folder / run_folder.POLICY)
    document = policy.value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if document != evidence.policy.document:
        raise RejectedError("gate.policy", "the evidence shows another policy than the file", where=run_folder.POLICY)
    if decide(evidence.findings, policy.value) != evidence.verdict:
        raise RejectedError("gate.verdict", "the verdict does not follow from the findings", where=run_folder.EVIDENCE)
    if evidence.seal and evidence.verdict.outcome is not Outcome.PASS:
        raise RejectedError("gate.sealed-refusal", "the evidence has a seal without a PASS", where=run_folder.EVIDENCE)


def _check_attested(evidence: Evidence, files: dict[str, bytes], signer: Ed25519PublicKey) -> None:
    payload = dsse.verify(files[run_folder.VERDICT], [signer], where=run_folder.VERDICT)
    if payload != verdict_payload(evidence):
        raise RejectedError("gate.attestation", "it says something else than the evidence", where=run_folder.VERDICT)


def _check_image(evidence: Evidence, files: dict[str, bytes], signer: Ed25519PublicKey) -> None:
    if evidence.seal is None:
        return
    companions = Companions(
        release=files[run_folder.RELEASE],
        verdict=files[run_folder.VERDICT],
        policy=files[run_folder.POLICY],
        model=files[run_folder.MODEL],
    )
    report = verify(files[run_folder.IMAGE], trust=Trust.one(signer), companions=companions)
    sealed = report.sealed
    if (str(sealed.version), sealed.security_counter) != (evidence.seal.version, evidence.seal.security_counter):
        raise RejectedError(
            "gate.image", "version or security counter differ from the evidence", where=run_folder.IMAGE
        )
    signed = dsse.verify(files[run_folder.RELEASE], [signer], where=run_folder.RELEASE)
    released = {name: content for name, content in files.items() if name != run_folder.RELEASE}
    if signed != release_payload(evidence, released):
        raise RejectedError("gate.attestation", "it speaks of other files than these", where=run_folder.RELEASE)


def _check_trail(evidence: Evidence, files: dict[str, bytes], url: str) -> None:
    """The run's entries must be exactly those that its evidence gives, in order, the policy registered first."""
    position = evidence.trail
    if position is None:
        raise RejectedError("gate.unlogged", "the evidence names no place in a trail", where=run_folder.EVIDENCE)
    with Trail.open(url, create=False) as trail:
        trail.verify(seen=[TreeHead(position.size, position.root)])
        entries = list(trail.entries(evidence.run.id))
    expected = _expected_entries(evidence, files)
    for entry, (kind, body) in zip(entries, expected, strict=False):
        if (entry.kind, entry.body) != (kind, body):
            raise RejectedError(
                "gate.trail",
                f"entry {entry.index} is not the {kind} entry that follows from run {evidence.run.id}",
                where=url,
                hint="the run's folder or its place in the trail is not what was logged: ship again and keep both",
            )
    if len(entries) != len(expected):
        raise RejectedError(
            "gate.trail", f"run {evidence.run.id} has {len(entries)} entries instead of {len(expected)}", where=url
        )
    places = {entry.kind: entry.index for entry in entries}
    if (places["policy"], places["findings"]) != (position.policy_index, position.size - 1):
        raise RejectedError("gate.trail", "policy or findings stand elsewhere than the evidence says", where=url)


def _expected_entries(evidence: Evidence, files: dict[str, bytes]) -> list[tuple[Kind, Body]]:
    before_seal = files
    if evidence.seal:
        known = (run_folder.POLICY, run_folder.MODEL, run_folder.PREDICTIONS, run_folder.VERDICT)
        before_seal = {name: files[name] for name in known if name in files}
    expected: list[tuple[Kind, Body]] = [
        ("policy", policy_entry(evidence.policy)),
        ("data", data_entry(evidence.data)),
        ("model", model_entry(evidence.source, evidence.baseline)),
        ("candidate", candidate_entry(evidence.candidate)),
        ("findings", findings_entry(evidence.findings, evidence.verdict)),
        ("verdict", verdict_entry(evidence, before_seal)),
    ]
    if evidence.seal:
        expected.append(("seal", seal_entry(evidence.seal, files[run_folder.RELEASE])))
    return expected


def require_run(folder: Path) -> None:
    """Say plainly that a path is not a run's folder.

    Raises:
        InputError: it is none.
    """
    if not (folder / run_folder.EVIDENCE).is_file():
        raise InputError(
            "gate.not-a-run",
            "there is no evidence.json here",
            where=str(folder),
            hint="give a folder made by audit ship",
        )
