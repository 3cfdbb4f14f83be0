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

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import RejectedError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.attested import check_release, check_verdict
from audit_pipeline.seal.decrypt import open_model
from audit_pipeline.seal.image_signature import SIGNATURE_NAMES, check_signature
from audit_pipeline.seal.keys.forms import RECIPIENT, RecipientPrivate, SignerPublic, fingerprint, require_key
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.profile import SealedImage, read
from audit_pipeline.seal.statement import RELEASE_TYPE, VERDICT_TYPE, Statement, read_statement

CheckName = Literal[
    "structure", "image-key", "image-signature", "release", "verdict", "waivers", "policy", "model", "decryption"
]


@dataclass(frozen=True)
class Trust:
    """Whose signatures count, for each role."""

    image: tuple[SignerPublic, ...]
    """Any one of them signs an image; the keys that the bootloader is built with."""
    verdict: Quorum
    release: Quorum
    waiver: Quorum | None = None
    """None where nobody may waive a limit."""

    @classmethod
    def one(cls, key: SignerPublic) -> Trust:
        """One key for the image and both attestations, and nobody who waives."""
        return cls((key,), Quorum((key,)), Quorum((key,)))


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
    waivers: tuple[bytes, ...] = ()
    """The waivers that the verdict names, DSSE envelopes."""


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
        """Whether an altered bit anywhere in the file would have been noticed.

        By the device's key alone, without the release, one part could still be exchanged for its equal: the ephemeral
        key for another with the same shared secret. Such an image opens to the same model.
        """
        return any(check.name in {"release", "decryption"} and check.state == "passed" for check in self.checks)

    @property
    def binding(self) -> str:
        """What an altered bit could not do, in words, and no more than holds."""
        passed = {check.name for check in self.checks if check.state == "passed"}
        if "release" in passed:
            return "every byte of the image is bound"
        if "decryption" in passed:
            return "every byte is bound, but that the ephemeral key could be its twin: give the release attestation"
        return "not every byte is bound: give the release attestation or the device's key"

    @property
    def shows_the_verdict(self) -> bool:
        """Whether the verdict that allowed the image was seen, with its waivers.

        Who withholds a verdict withholds its outcome, its quorum and the day on which a waiver ended.
        """
        return {"verdict", "waivers"} <= {check.name for check in self.checks if check.state == "passed"}


def verify(
    image: bytes,
    *,
    trust: Trust,
    companions: Companions = Companions(),
    recipient: RecipientPrivate | None = None,
    now: str | None = None,
) -> Report:
    """Check an image and what was given with it.

    Args:
        image: the whole file.
        trust: the keys whose signatures count.
        companions: attestations, policy and model to hold the image against.
        recipient: private key of the device, for the full level.
        now: the time in UTC, ISO 8601 to the second, that waivers must hold at; None to leave them unchecked.

    Raises:
        RejectedError: the first check that does not hold, with a code of `image.*` (see `profile`,
            `image_signature`, `decrypt`), `attestation.*` (see `dsse`, `statement`), `release.*`, `verdict.*` (see
            `attested`), `waiver.*` (see `waiver`), `policy.mismatch` or `model.mismatch`.
        InputError: a key of the wrong kind.
    """
    sealed = read(image)
    image_sha256 = sha256_hex(image)
    check_signature(sealed, trust.image)
    release = _opened(companions.release, RELEASE_TYPE, trust.release, "release attestation")
    verdict = _opened(companions.verdict, VERDICT_TYPE, trust.verdict, "verdict attestation")
    checks = (
        Check("structure", "passed", "one exact set of TLVs in order, canonical ephemeral key, no byte too many"),
        Check("image-key", "passed", f"signing key {sealed.key_hash}"),
        Check("image-signature", "passed", f"{SIGNATURE_NAMES[sealed.signature_kind]} signature over the image hash"),
        _release(sealed, image_sha256, release),
        _verdict(sealed, verdict),
        _waivers(sealed, verdict, companions.waivers, trust.waiver, now),
        _policy(sealed, companions.policy),
        _model(sealed, companions.model),
        _decryption(sealed, recipient, release),
    )
    return Report("full" if recipient else "public", image_sha256, sealed, checks)


def _opened(envelope: bytes | None, kind: str, quorum: Quorum, where: str) -> tuple[Statement, str] | None:
    """What an envelope says and the SHA-256 of its payload, once its signatures hold."""
    if envelope is None:
        return None
    payload = dsse.verify(envelope, quorum, where=where)
    return read_statement(payload, kind, where=where), sha256_hex(payload)


def _release(sealed: SealedImage, image_sha256: str, release: tuple[Statement, str] | None) -> Check:
    if release is None:
        return Check("release", "not-checked", "no release attestation: altered ciphertext or TLVs can go unnoticed")
    check_release(sealed, image_sha256, release[0])
    return Check("release", "passed", "signed, about every byte of this file, its version, counter and device")


def _verdict(sealed: SealedImage, verdict: tuple[Statement, str] | None) -> Check:
    if verdict is None:
        return Check("verdict", "not-checked", "no verdict attestation was given")
    check_verdict(sealed, *verdict)
    return Check("verdict", "passed", "signed, PASS, and about this model, policy and log (0xA0 to 0xA3)")


def _waivers(
    sealed: SealedImage,
    verdict: tuple[Statement, str] | None,
    waivers: tuple[bytes, ...],
    quorum: Quorum | None,
    now: str | None,
) -> Check:
    if verdict is None:
        return Check("waivers", "not-checked", "no verdict attestation, which would say what was waived")
    statement = verdict[0]
    if not waivers and statement.predicate.get("waivers", []) == []:
        return Check("waivers", "passed", "the verdict was given without any")
    if now is None:
        return Check("waivers", "not-checked", "without the time nobody can tell whether a waiver has expired")
    # Reads its predicate with pydantic, which takes longer to import than all else here takes.
    from audit_pipeline.seal.waiver import check_waivers

    held = check_waivers(
        statement,
        waivers,
        quorum,
        model_sha256=sealed.model_sha256,
        policy_sha256=sealed.policy_sha256,
        now=now,
    )
    return Check("waivers", "passed", f"{len(held)} signed, for this model and policy, and not expired")


def _policy(sealed: SealedImage, policy: bytes | None) -> Check:
    if policy is None:
        return Check("policy", "not-checked", "no policy file was given")
    if sha256_hex(policy) != sealed.policy_sha256:
        raise RejectedError("policy.mismatch", "the image (0xA2) was sealed under another policy", where="policy")
    return Check("policy", "passed", "the policy file is the one in 0xA2")


def _model(sealed: SealedImage, model: bytes | None) -> Check:
    if model is None:
        return Check("model", "not-checked", "no .tflite was given")
    if len(model) != sealed.model_bytes or sha256_hex(model) != sealed.model_sha256:
        raise RejectedError("model.mismatch", "the image (0xA1) names another model", where=".tflite")
    return Check("model", "passed", "the .tflite is the one in 0xA1, length and SHA-256")


def _decryption(
    sealed: SealedImage, recipient: RecipientPrivate | None, release: tuple[Statement, str] | None
) -> Check:
    if recipient is None:
        return Check("decryption", "not-checked", "the recipient's private key was not given")
    public = fingerprint(require_key(recipient, RECIPIENT).public_key())
    if public == sealed.key_hash:
        raise RejectedError(
            "image.one-key-two-roles",
            "the image is encrypted for the very key that signs it: whoever opens it can sign another",
            where="recipient's key",
            hint="make a key of its own for the device, and seal again",
        )
    open_model(sealed, recipient)
    if release is not None and release[0].value("image", "recipient") != public:
        raise RejectedError(
            "release.recipient",
            "the release names another recipient than the key that opens it",
            where=release[0].where,
        )
    return Check("decryption", "passed", "decrypted; image hash, padding and the model's digest hold")
