"""What the maker of an image chooses, and what allowed it: the values that go into header and protected TLVs."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Literal

from audit_pipeline.errors import InputError
from audit_pipeline.seal.version import ImageVersion

AesBits = Literal[128, 256]

_U8_LIMIT = 0xFF
_U32_LIMIT = 0xFFFF_FFFF
_U64_LIMIT = 0xFFFF_FFFF_FFFF_FFFF
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_UUID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DOMAIN_LIMIT = 253
_CLASS_LIMIT = 64


@dataclass(frozen=True)
class Dependency:
    """The least version of another image on the device without which the bootloader does not start this one.

    Raises:
        InputError: `seal.dependency-range`.
    """

    image: int
    """Number of the other image in the bootloader, u8."""
    version: ImageVersion

    def __post_init__(self) -> None:
        if not 0 <= self.image <= _U8_LIMIT:
            raise InputError("seal.dependency-range", f"an image's number is 0 to {_U8_LIMIT}, not {self.image}")


@dataclass(frozen=True)
class SealSettings:
    """What the maker chooses for an image.

    Raises:
        InputError: `seal.counter-range`, `seal.aes-bits`, `seal.slot-range`, `seal.vendor-form`, `seal.class-form` or
            `seal.class-without-vendor`.
    """

    version: ImageVersion
    security_counter: int
    """u32; a bootloader with rollback protection refuses an image whose counter is below the last one it accepted."""
    aes_bits: AesBits = 128
    """Must be what the device's bootloader was built with; it reads one of the two only."""
    vendor: str | None = None
    """A domain name of the device's maker, in lower case; its UUID goes into the image."""
    device_class: str | None = None
    """The maker's name for this kind of device; its UUID, in the vendor's namespace, goes into the image."""
    dependency: Dependency | None = None
    slot_bytes: int | None = None
    """Flash of the image slot, which must also hold MCUboot's trailer; None where it is not known."""

    def __post_init__(self) -> None:
        if not 0 <= self.security_counter <= _U32_LIMIT:
            raise InputError(
                "seal.counter-range", f"the security counter is a u32, and {self.security_counter} is not one"
            )
        if self.aes_bits not in (128, 256):
            raise InputError("seal.aes-bits", f"an image is encrypted with AES-128 or AES-256, not AES-{self.aes_bits}")
        if self.slot_bytes is not None and self.slot_bytes <= 0:
            raise InputError("seal.slot-range", f"an image slot of {self.slot_bytes} bytes holds nothing")
        if self.vendor is not None:
            vendor_uuid(self.vendor)
        if self.device_class is not None:
            if self.vendor is None:
                raise InputError(
                    "seal.class-without-vendor",
                    f"device class {self.device_class!r} has no vendor, whose namespace it belongs to",
                    hint="name the vendor too",
                )
            class_uuid(self.vendor, self.device_class)

    @property
    def vendor_id(self) -> uuid.UUID | None:
        """What the image says of the vendor."""
        return None if self.vendor is None else vendor_uuid(self.vendor)

    @property
    def class_id(self) -> uuid.UUID | None:
        """What the image says of the device class."""
        if self.vendor is None or self.device_class is None:
            return None
        return class_uuid(self.vendor, self.device_class)


@dataclass(frozen=True)
class Binding:
    """What allowed the image: digests as lower-case hexadecimal SHA-256, and the head of the audit log.

    Raises:
        ValueError: a digest has another form, or the log's size is not 1 to 2^64 - 1.
    """

    verdict_sha256: str
    """Of the verdict attestation's payload."""
    policy_sha256: str
    """Of the policy file."""
    log_size: int
    """Entries of the audit log at the checkpoint that the verdict names."""
    log_root: str
    """Root hash of that checkpoint (RFC 6962 section 2.1)."""

    def __post_init__(self) -> None:
        for digest in (self.verdict_sha256, self.policy_sha256, self.log_root):
            if not _SHA256.fullmatch(digest):
                raise ValueError("a digest is 64 lower-case hexadecimal digits")
        if not 1 <= self.log_size <= _U64_LIMIT:
            raise ValueError("a log that holds the findings has at least one entry and fewer than 2^64")


def vendor_uuid(vendor: str) -> uuid.UUID:
    """The vendor's UUID: version 5 of its domain name in the DNS namespace (RFC 9562 section 5.5).

    `imgtool sign --vid` makes the same of the same name.

    Raises:
        InputError: `seal.vendor-form`, it is not a domain name in lower case with at least two labels.
    """
    if len(vendor) > _DOMAIN_LIMIT or not _DOMAIN.fullmatch(vendor):
        raise InputError(
            "seal.vendor-form",
            f"{vendor!r} is not a domain name in lower case",
            hint="write the vendor as a domain that it owns, such as wearables.example.com",
        )
    return uuid.uuid5(uuid.NAMESPACE_DNS, vendor)


def class_uuid(vendor: str, device_class: str) -> uuid.UUID:
    """The device class's UUID: version 5 of its name in the namespace that is the vendor's UUID.

    Raises:
        InputError: `seal.vendor-form`; or `seal.class-form`, it is empty, longer than 64 characters, not printable,
            or looks like a UUID itself, which imgtool would take for the class's UUID and not for its name.
    """
    if not 0 < len(device_class) <= _CLASS_LIMIT or not device_class.isprintable() or _UUID.fullmatch(device_class):
        raise InputError(
            "seal.class-form",
            f"{device_class!r} is not a name for a device class",
            hint=f"write 1 to {_CLASS_LIMIT} printable characters that are not a UUID",
        )
    return uuid.uuid5(vendor_uuid(vendor), device_class)
