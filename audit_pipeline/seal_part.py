"""What evidence says of a sealed image. A part of `Evidence`, in a file of its own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from audit_pipeline.measurement import Count, Part, Sha256


class DependencyPart(Part):
    """Another image on the device, and the least version of it that will do."""

    image: Count
    version: str


class DevicePart(Part):
    """The device as the policy names it; all of it stands in the image for the bootloader to compare."""

    vendor: str | None = None
    class_: str | None = Field(default=None, alias="class", serialization_alias="class")
    depends_on: DependencyPart | None = None

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class SealPart(Part):
    """The image, and the keys by fingerprint (SHA-256 of the SubjectPublicKeyInfo)."""

    image_sha256: Sha256
    image_bytes: Count
    version: str
    security_counter: int
    signer: Sha256
    recipient: Sha256
    verdict_sha256: Sha256 = Field(description="of the verdict attestation's payload, TLV 0xA0")
    signature: Literal["ed25519", "p256"] = Field(default="ed25519", description="kind of the signer's key")
    encryption: Literal["x25519", "p256"] = Field(default="x25519", description="kind of the recipient's key")
    aes_bits: Literal[128, 256] = 128
    ephemeral: Annotated[str, Field(pattern=r"^([0-9a-f]{64}|04[0-9a-f]{128})$")] | None = Field(
        default=None,
        description="the image's ephemeral public key, hexadecimal; no other image has it; null in releases from "
        "before they were compared",
    )
    device: DevicePart | None = Field(default=None, description="null where the policy names none")
    device_class: str | None = Field(
        default=None,
        description="the line of releases in which the security counter rises: `vendor/class`, else the recipient's "
        "fingerprint; null before releases were told apart by it",
    )
    model_signer: Sha256 | None = Field(
        default=None, description="of the P-256 key behind model.sig; null where there is none"
    )
