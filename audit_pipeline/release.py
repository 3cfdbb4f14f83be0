"""Stage 9: sign the verdict, and where it is PASS make the image and the release that belong to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from audit_pipeline.attestations import release_payload, verdict_payload
from audit_pipeline.canonical import sha256_hex
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.evidence import Evidence, SealPart
from audit_pipeline.measurement import Outcome
from audit_pipeline.policy.load import LoadedPolicy
from audit_pipeline.seal import dsse
from audit_pipeline.seal.image import Binding, SealSettings, build
from audit_pipeline.seal.keys import check_private_file, fingerprint, load_recipient_public, load_signer
from audit_pipeline.seal.version import ImageVersion


@dataclass(frozen=True)
class SealKeys:
    """Opened keys and the settings of the image they are for."""

    signer: Ed25519PrivateKey
    recipient: X25519PublicKey
    settings: SealSettings


@dataclass(frozen=True)
class SignedVerdict:
    """The verdict attestation and the digest of its payload, which the image carries."""

    envelope: bytes
    sha256: str


@dataclass(frozen=True)
class Sealed:
    """The image, and the evidence that now speaks of it."""

    image: bytes
    part: SealPart
    evidence: Evidence


def check_keys(policy: LoadedPolicy) -> None:
    """Check what can be checked of the policy's `seal` section without a passphrase.

    Raises:
        InputError: as `open_keys`, but for what only the passphrase shows.
    """
    section = policy.value.seal
    if section is None or policy.signer is None or policy.recipient is None:
        return
    ImageVersion.parse(section.version)
    load_recipient_public(policy.recipient)
    check_private_file(policy.signer)


def open_keys(policy: LoadedPolicy, passphrase: Callable[[Path], bytes]) -> SealKeys | None:
    """Open what the policy's `seal` section names; None where it has none.

    Raises:
        InputError: a key is missing, of the wrong kind or behind another passphrase, or the version is impossible.
    """
    section = policy.value.seal
    if section is None or policy.signer is None or policy.recipient is None:
        return None
    settings = SealSettings(version=ImageVersion.parse(section.version), security_counter=section.security_counter)
    recipient = load_recipient_public(policy.recipient)
    return SealKeys(load_signer(policy.signer, passphrase(policy.signer)), recipient, settings)


def sign_verdict(evidence: Evidence, keys: SealKeys) -> SignedVerdict:
    """Sign what was found, whatever it is: a refusal is attested like a release."""
    payload = verdict_payload(evidence)
    return SignedVerdict(dsse.sign(payload, keys.signer), sha256_hex(payload))


def seal(evidence: Evidence, candidate: Candidate, verdict: SignedVerdict, keys: SealKeys) -> Sealed:
    """Make the image of a candidate that passed.

    Raises:
        ValueError: the verdict is not PASS; no caller may come this far with another.
        ToolError: imgtool failed, or what it made does not hold.
    """
    if evidence.verdict.outcome is not Outcome.PASS:
        raise ValueError(f"a verdict of {evidence.verdict.outcome} is never sealed")
    image = build(
        candidate.tflite,
        signer=keys.signer,
        recipient=keys.recipient,
        settings=keys.settings,
        binding=Binding(verdict_sha256=verdict.sha256, policy_sha256=evidence.policy.sha256),
    )
    part = SealPart(
        image_sha256=sha256_hex(image),
        image_bytes=len(image),
        version=str(keys.settings.version),
        security_counter=keys.settings.security_counter,
        signer=fingerprint(keys.signer.public_key()),
        recipient=fingerprint(keys.recipient),
        verdict_sha256=verdict.sha256,
    )
    return Sealed(image, part, evidence.model_copy(update={"seal": part}))


def sign_release(evidence: Evidence, files: Mapping[str, bytes], keys: SealKeys) -> bytes:
    """Sign the digests of everything in the run folder of a sealed run."""
    return dsse.sign(release_payload(evidence, files), keys.signer)
