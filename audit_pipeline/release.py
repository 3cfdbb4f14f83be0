"""Stage 9: sign the verdict, and where it is PASS make the image and the release that belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audit_pipeline import run_folder
from audit_pipeline.attestations import release_payload, summary_payload, verdict_payload
from audit_pipeline.canonical import sha256_hex
from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import Outcome
from audit_pipeline.seal import dsse
from audit_pipeline.seal.image import build
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.model_signing import sign_model
from audit_pipeline.seal.profile import read
from audit_pipeline.seal.settings import Binding
from audit_pipeline.seal_keys import SealKeys
from audit_pipeline.seal_part import DependencyPart, DevicePart, SealPart


@dataclass(frozen=True)
class SignedVerdict:
    """The verdict attestation and the digest of its payload, which the image carries."""

    envelope: bytes
    sha256: str


@dataclass(frozen=True)
class Sealed:
    """The image with what lies beside it, and the evidence that now speaks of it."""

    part: SealPart
    evidence: Evidence
    files: Mapping[str, bytes]
    """The image, the summary and the model's signature, by their names in the run folder."""


def sign_verdict(evidence: Evidence, keys: SealKeys) -> SignedVerdict:
    """Sign what was found, whatever it is: a refusal is attested like a release."""
    payload = verdict_payload(evidence.to_json())
    return SignedVerdict(dsse.sign(payload, [keys.signer]), sha256_hex(payload))


def seal(evidence: Evidence, tflite: bytes, verdict: SignedVerdict, keys: SealKeys) -> Sealed:
    """Make the image of a candidate that passed.

    Args:
        evidence: that says so.
        tflite: the candidate.
        verdict: the attestation of it.
        keys: that sign, and the device's.

    Raises:
        ValueError: the verdict is not PASS; no caller may come this far with another.
        ToolError: imgtool failed, or what it made does not hold.
    """
    if evidence.verdict.outcome is not Outcome.PASS:
        raise ValueError(f"a verdict of {evidence.verdict.outcome} is never sealed")
    if evidence.trail is None:
        raise ValueError("what no trail has is never sealed")
    image = build(
        tflite,
        signer=keys.signer,
        recipient=keys.recipient,
        settings=keys.settings,
        binding=Binding(verdict.sha256, evidence.policy.sha256, evidence.trail.size, evidence.trail.root),
    )
    part = _part(image, verdict, keys)
    evidence = evidence.model_copy(update={"seal": part})
    files = {
        run_folder.IMAGE: image,
        run_folder.SUMMARY: dsse.sign(summary_payload(evidence.to_json()), [keys.signer]),
    }
    if keys.model_signer:
        files[run_folder.MODEL_SIGNATURE] = sign_model(tflite, run_folder.MODEL, keys.model_signer)
    return Sealed(part, evidence, files)


def _part(image: bytes, verdict: SignedVerdict, keys: SealKeys) -> SealPart:
    settings, sealed = keys.settings, read(image)
    dependency = settings.dependency
    device = DevicePart(
        vendor=settings.vendor,
        class_=settings.device_class,
        depends_on=DependencyPart(image=dependency.image, version=str(dependency.version)) if dependency else None,
    )
    return SealPart(
        image_sha256=sha256_hex(image),
        image_bytes=len(image),
        version=str(settings.version),
        security_counter=settings.security_counter,
        signer=fingerprint(keys.signer.public),
        recipient=fingerprint(keys.recipient),
        verdict_sha256=verdict.sha256,
        signature=sealed.signature_kind,
        encryption=sealed.recipient_kind,
        aes_bits=sealed.aes_bits,
        ephemeral=sealed.wrapped.ephemeral.hex(),
        device=None if device == DevicePart() else device,
        device_class=keys.device_class,
        model_signer=fingerprint(keys.model_signer.public) if keys.model_signer else None,
    )


def sign_release(evidence: Evidence, files: Mapping[str, bytes], keys: SealKeys) -> bytes:
    """Sign the digests of everything in the run folder of a sealed run."""
    return dsse.sign(release_payload(evidence.to_json(), files), [keys.signer])
