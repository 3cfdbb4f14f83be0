"""What the release and the verdict say, held against what the image says. Both are signed; none is believed alone.

Values of a predicate are compared with their type: in JSON `true` is not 1, though to Python it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.seal.profile import SealedImage
from audit_pipeline.seal.settings import Dependency, class_uuid, vendor_uuid
from audit_pipeline.seal.statement import Statement
from audit_pipeline.seal.strict_json import shown
from audit_pipeline.seal.version import ImageVersion

_DEVICE_KEYS = {"vendor", "class", "depends_on"}


def check_release(sealed: SealedImage, image_sha256: str, release: Statement) -> None:
    """Hold a release against the image that was given with it.

    Raises:
        RejectedError: `release.image`, it is about other bytes; `release.verdict`, `release.version`,
            `release.security-counter`, `release.signer` or `release.device`, it names another than the image;
            `image.one-key-two-roles`, the image is encrypted for the key that signs it; `attestation.predicate`, it
            does not say one of these.
    """
    if not release.speaks_of(image_sha256) or release.value("image", "sha256") != image_sha256:
        raise _mismatch("release.image", "the release attestation is not about these bytes", release)
    if release.value("verdict", "sha256") != sealed.verdict_sha256:
        raise _mismatch("release.verdict", "release attestation and image (0xA0) name different verdicts", release)
    for key, held in (
        ("version", str(sealed.version)),
        ("security_counter", sealed.security_counter),
        ("signer", sealed.key_hash),
    ):
        said = release.value("image", key)
        if not _is(said, held):
            name = key.replace("_", "-")
            raise _mismatch(f"release.{name}", f"{key} is {shown(said)} in the release, {held!r} in the image", release)
    if release.value("image", "recipient") == sealed.key_hash:
        raise _mismatch("image.one-key-two-roles", "the image is encrypted for the very key that signs it", release)
    held_device = (sealed.vendor_id, sealed.class_id, sealed.dependency)
    if _device(release) != held_device:
        raise _mismatch(
            "release.device",
            "vendor, class or dependency of the release are not those whose values the image holds (0x74, 0x75, 0x40)",
            release,
        )


def check_verdict(sealed: SealedImage, verdict: Statement, payload_sha256: str) -> None:
    """Hold a verdict against the image that was given with it.

    Raises:
        RejectedError: `verdict.digest`, `verdict.model`, `verdict.policy` or `verdict.log`, it is not the one, or not
            about the one, that the image names; `verdict.outcome`, it is not PASS; `attestation.predicate`, it does
            not say one of these.
    """
    if payload_sha256 != sealed.verdict_sha256:
        raise _mismatch("verdict.digest", "the image (0xA0) was sealed under another verdict", verdict)
    outcome = verdict.value("verdict", "outcome")
    if outcome != "PASS":
        raise _mismatch("verdict.outcome", f"the verdict is {shown(outcome)}, and only PASS may be sealed", verdict)
    if [subject.sha256 for subject in verdict.subjects] != [sealed.model_sha256]:
        raise _mismatch(
            "verdict.model",
            "the verdict is not about the model that the image names (0xA1), and about it alone",
            verdict,
        )
    if verdict.value("policy", "sha256") != sealed.policy_sha256:
        raise _mismatch("verdict.policy", "verdict and image (0xA2) name different policies", verdict)
    size, root = verdict.value("trail", "size"), verdict.value("trail", "root")
    if not _is(size, sealed.log_size) or root != sealed.log_root:
        raise _mismatch("verdict.log", "verdict and image (0xA3) name different heads of the audit log", verdict)


def _device(release: Statement) -> tuple[UUID | None, UUID | None, Dependency | None]:
    """What an image for the release's device holds.

    Raises:
        RejectedError: `attestation.predicate`, it describes no device that an image could be for.
    """
    device = release.value("image", "device")
    if device is None:
        return None, None, None
    try:
        if not isinstance(device, Mapping) or set(device) != _DEVICE_KEYS:
            raise ValueError
        vendor, name = _text(device["vendor"]), _text(device["class"])
        vendor_id = None if vendor is None else vendor_uuid(vendor)
        class_id = None if vendor is None or name is None else class_uuid(vendor, name)
        return vendor_id, class_id, _dependency(device["depends_on"])
    except (ValueError, InputError):
        raise RejectedError(
            "attestation.predicate", "image.device describes no device that an image can be for", where=release.where
        ) from None


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError
    return value


def _dependency(value: Any) -> Dependency | None:
    match value:
        case None:
            return None
        case {"image": int(image), "version": str(version), **rest} if not rest and not isinstance(image, bool):
            return Dependency(image, ImageVersion.parse(version))
    raise ValueError


def _is(said: Any, held: str | int) -> bool:
    return type(said) is type(held) and said == held


def _mismatch(code: str, what: str, statement: Statement) -> RejectedError:
    return RejectedError(
        code, what, where=statement.where, hint="use the image and the attestations of one and the same run"
    )
