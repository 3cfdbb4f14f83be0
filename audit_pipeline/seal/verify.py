"""Judge a sealed image, with our own reader and without imgtool.

**Public** level, with public keys only. MCUboot hashes and signs the *plain* image, so without the recipient's key
the hash can be read but not recomputed: the signature over it is checked, yet ciphertext, version, security counter
and protected TLVs could be altered unseen. What closes the gap is the release attestation, which signs the SHA-256
of the whole image file: with it, every altered bit is rejected. Without it the report says so.

**Full** level, with the recipient's private key as well: the payload is decrypted, the hash recomputed, and the model
compared with its length and digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import RejectedError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.decrypt import open_model
from audit_pipeline.seal.key_forms import RECIPIENT, SIGNER_PUBLIC, fingerprint, require_key
from audit_pipeline.seal.profile import SealedImage, read
from audit_pipeline.seal.statement import RELEASE_TYPE, VERDICT_TYPE, Statement, read_statement

CheckName = Literal["structure", "image-key", "image-signature", "release", "verdict", "policy", "model", "decryption"]


@dataclass(frozen=True)
class Trust:
    """Whose signatures count."""

    image: Ed25519PublicKey
    """Signs images; its bootloader counterpart is the key that MCUboot is built with."""
    attestations: tuple[Ed25519PublicKey, ...]
    threshold: int = 1
    """How many distinct keys must have signed each attestation."""

    @classmethod
    def one(cls, key: Ed25519PublicKey) -> Trust:
        """One key for the image and both attestations."""
        return cls(key, (key,))


@dataclass(frozen=True)
class Companions:
    """What belongs to an image. Each is compared where it is given, and reported as not checked where it is not."""

    release: bytes | None = None
    """The release attestation, a DSSE envelope."""
    verdict: bytes | None = None
    """The verdict attestation, a DSSE envelope."""
    policy: bytes | None = None
    """The policy file."""
    model: bytes | None = None
    """The .tflite."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, or could not be."""

    name: CheckName
    state: Literal["passed", "not-checked"]
    what: str


@dataclass(frozen=True)
class Report:
    """What held. There is no failed check in it: the first one that fails is raised."""

    level: Literal["public", "full"]
    image_sha256: str
    sealed: SealedImage
    checks: tuple[Check, ...]

    @property
    def binds_every_byte(self) -> bool:
        """Whether an altered bit anywhere in the file would have been noticed."""
        return any(check.name in {"release", "decryption"} and check.state == "passed" for check in self.checks)


def verify(
    image: bytes,
    *,
    trust: Trust,
    companions: Companions = Companions(),
    recipient: X25519PrivateKey | None = None,
) -> Report:
    """Check an image and what was given with it.

    Args:
        image: the whole file.
        trust: the keys whose signatures count.
        companions: attestations, policy and model to hold the image against.
        recipient: private key of the device, for the full level.

    Raises:
        RejectedError: the first check that does not hold, with a code of `image.*` (see `profile`, `decrypt`),
            `attestation.*` (see `dsse`, `statement`), `release.*`, `verdict.*`, `policy.mismatch` or `model.mismatch`.
        InputError: a key of the wrong kind, or a threshold that the trusted keys cannot reach.
    """
    require_key(trust.image, SIGNER_PUBLIC)
    sealed = read(image)
    image_sha256 = sha256_hex(image)
    checks = (
        Check("structure", "passed", "one exact set of TLVs in order, canonical ephemeral key, no byte too many"),
        *check_signature(sealed, trust.image),
        _check_release(sealed, image_sha256, companions.release, trust),
        _check_verdict(sealed, companions.verdict, trust),
        _check_policy(sealed, companions.policy),
        _check_model(sealed, companions.model),
        _check_decryption(sealed, recipient),
    )
    return Report("full" if recipient else "public", image_sha256, sealed, checks)


def check_signature(sealed: SealedImage, signer: Ed25519PublicKey) -> tuple[Check, Check]:
    """The key hash and the Ed25519 signature over the image hash, which is what MCUboot checks.

    Raises:
        RejectedError: `image.wrong-signer` or `image.signature`.
    """
    expected = fingerprint(signer)
    if sealed.key_hash != expected:
        raise RejectedError(
            "image.wrong-signer",
            f"the image names signing key {sealed.key_hash[:16]}…, the trusted key is {expected[:16]}…",
            hint="give the public key of whoever signed this image, if you trust them",
        )
    try:
        signer.verify(sealed.signature, sealed.image_hash)
    except InvalidSignature:
        raise RejectedError(
            "image.signature", "the signature does not fit the image hash", hint="get the image again from its maker"
        ) from None
    return (
        Check("image-key", "passed", f"signing key {expected}"),
        Check("image-signature", "passed", "Ed25519 signature over the image hash"),
    )


def _check_release(sealed: SealedImage, image_sha256: str, envelope: bytes | None, trust: Trust) -> Check:
    if envelope is None:
        return Check("release", "not-checked", "no release attestation: altered ciphertext or TLVs can go unnoticed")
    release, _ = _open(envelope, RELEASE_TYPE, trust, "release attestation")
    if not release.speaks_of(image_sha256):
        raise _mismatch("release.image", "the release attestation is not about these bytes", release)
    if release.value("verdict", "sha256") != sealed.verdict_sha256:
        raise _mismatch("release.verdict", "release attestation and image (0xA0) name different verdicts", release)
    return Check("release", "passed", "signed, and about every byte of this file")


def _check_verdict(sealed: SealedImage, envelope: bytes | None, trust: Trust) -> Check:
    if envelope is None:
        return Check("verdict", "not-checked", "no verdict attestation was given")
    verdict, payload = _open(envelope, VERDICT_TYPE, trust, "verdict attestation")
    if sha256_hex(payload) != sealed.verdict_sha256:
        raise _mismatch("verdict.digest", "the image (0xA0) was sealed under another verdict", verdict)
    outcome = verdict.value("verdict", "outcome")
    if outcome != "PASS":
        raise _mismatch("verdict.outcome", f"the verdict is {outcome}, and only PASS may be sealed", verdict)
    if not verdict.speaks_of(sealed.model_sha256):
        raise _mismatch("verdict.model", "the verdict is not about the model that the image names (0xA1)", verdict)
    if verdict.value("policy", "sha256") != sealed.policy_sha256:
        raise _mismatch("verdict.policy", "verdict and image (0xA2) name different policies", verdict)
    return Check("verdict", "passed", "signed, PASS, and about this model and policy (0xA0, 0xA1, 0xA2)")


def _check_policy(sealed: SealedImage, policy: bytes | None) -> Check:
    if policy is None:
        return Check("policy", "not-checked", "no policy file was given")
    if sha256_hex(policy) != sealed.policy_sha256:
        raise RejectedError("policy.mismatch", "the image (0xA2) was sealed under another policy", where="policy")
    return Check("policy", "passed", "the policy file is the one in 0xA2")


def _check_model(sealed: SealedImage, model: bytes | None) -> Check:
    if model is None:
        return Check("model", "not-checked", "no .tflite was given")
    if len(model) != sealed.model_bytes or sha256_hex(model) != sealed.model_sha256:
        raise RejectedError("model.mismatch", "the image (0xA1) names another model", where=".tflite")
    return Check("model", "passed", "the .tflite is the one in 0xA1, length and SHA-256")


def _check_decryption(sealed: SealedImage, recipient: X25519PrivateKey | None) -> Check:
    if recipient is None:
        return Check("decryption", "not-checked", "the recipient's private key was not given")
    open_model(sealed, require_key(recipient, RECIPIENT))
    return Check("decryption", "passed", "decrypted; image hash, padding and the model's digest hold")


def _open(envelope: bytes, predicate_type: str, trust: Trust, where: str) -> tuple[Statement, bytes]:
    payload = dsse.verify(envelope, trust.attestations, threshold=trust.threshold, where=where)
    return read_statement(payload, predicate_type, where=where), payload


def _mismatch(code: str, what: str, statement: Statement) -> RejectedError:
    return RejectedError(
        code, what, where=statement.where, hint="use the image and the attestations of one and the same run"
    )
