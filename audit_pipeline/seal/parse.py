"""A strict reader of MCUboot images: header, payload, protected TLVs, TLVs, and not one byte more.

The layout is MCUboot's, little endian (its docs/design.md, "Image format", and `bootutil/image.h`)::

    0   header, 32 bytes       magic, load address, header and protected sizes, payload size, flags, version
    32  payload
    …   protected TLV area     u16 magic 0x6908, u16 size, then entries; hashed together with header and payload
    …   TLV area               u16 magic 0x6907, u16 size, then entries; not hashed

An entry is u16 type, u16 length, value. This module knows the framing only; which entries an image must have is in
`profile`. Every fault is a `RejectedError` with the offset of the byte at fault.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.version import ImageVersion

IMAGE_MAGIC = 0x96F3B83D
PROTECTED_MAGIC = 0x6908
UNPROTECTED_MAGIC = 0x6907
HEADER_BYTES = 32

_HEADER = struct.Struct("<IIHHIIBBHII")
_PAIR = struct.Struct("<HH")
_RESERVED_OFFSET = 28


class TlvType(IntEnum):
    """TLV types that a sealed image holds; numbers below 0xA0 are MCUboot's, from 0xA0 on they are the vendor's."""

    KEY_HASH = 0x01
    SHA256 = 0x10
    ECDSA = 0x22
    ED25519 = 0x24
    ENC_P256 = 0x32
    ENC_X25519 = 0x33
    DEPENDENCY = 0x40
    SECURITY_COUNTER = 0x50
    VENDOR = 0x74
    DEVICE_CLASS = 0x75
    VERDICT = 0xA0
    MODEL = 0xA1
    POLICY = 0xA2
    LOG = 0xA3


@dataclass(frozen=True)
class Header:
    """The fields of `struct image_header` that vary; magic and padding are checked and dropped."""

    load_address: int
    header_bytes: int
    protected_bytes: int
    """Size of the protected TLV area with its own four-byte head; 0 where there is none."""
    payload_bytes: int
    flags: int
    version: ImageVersion


@dataclass(frozen=True)
class Tlv:
    """One entry; `offset` is where it begins (its type field) in the image."""

    type: int
    offset: int
    value: bytes

    @property
    def value_offset(self) -> int:
        """Where its value begins in the image."""
        return self.offset + _PAIR.size

    @property
    def end(self) -> int:
        """The byte after it."""
        return self.value_offset + len(self.value)


@dataclass(frozen=True)
class ParsedImage:
    """An image whose framing holds from the first byte to the last."""

    header: Header
    header_area: bytes
    """The 32 header bytes as they stand."""
    payload: bytes
    """As it stands in the image: ciphertext where the image is encrypted."""
    protected_area: bytes
    """The protected TLV area as it stands, head included; empty where there is none."""
    protected: tuple[Tlv, ...]
    unprotected: tuple[Tlv, ...]


def rejected(code: str, what: str, offset: int) -> RejectedError:
    """The error for a fault at a byte of an image; `code` is given without its `image.` prefix."""
    return RejectedError(
        f"image.{code}", what, where=f"byte {offset} of the image", hint="get the image again from its maker"
    )


def looks_like_image(data: bytes) -> bool:
    """Whether bytes begin as an MCUboot image does; `parse` says whether they are one."""
    return data.startswith(IMAGE_MAGIC.to_bytes(4, "little"))


def parse(image: bytes) -> ParsedImage:
    """Take an image apart.

    Raises:
        RejectedError: `image.truncated`, `image.magic`, `image.header-size`, `image.header-reserved`,
            `image.area-magic`, `image.area-size`, `image.tlv-overrun` or `image.trailing-bytes`.
    """
    parsed, end = parse_front(image)
    if end != len(image):
        raise rejected("trailing-bytes", f"{len(image) - end} bytes follow the end of the image", end)
    return parsed


def parse_front(image: bytes) -> tuple[ParsedImage, int]:
    """Take apart the image that bytes begin with, and tell where it ends, for whoever asks what lies behind it.

    Raises:
        RejectedError: as `parse`, of trailing bytes alone nothing.
    """
    header = _header(image)
    payload_end = header.header_bytes + header.payload_bytes
    protected_end = payload_end + header.protected_bytes
    if protected_end > len(image):
        raise rejected("truncated", f"header and sizes ask for {protected_end} bytes, the image has fewer", len(image))
    protected: tuple[Tlv, ...] = ()
    if header.protected_bytes:
        protected, end = _area(image, payload_end, PROTECTED_MAGIC)
        if end != protected_end:
            raise rejected("area-size", "the protected area and the header disagree about its size", payload_end + 2)
    unprotected, end = _area(image, protected_end, UNPROTECTED_MAGIC)
    parsed = ParsedImage(
        header=header,
        header_area=image[:HEADER_BYTES],
        payload=image[header.header_bytes : payload_end],
        protected_area=image[payload_end:protected_end],
        protected=protected,
        unprotected=unprotected,
    )
    return parsed, end


def _header(image: bytes) -> Header:
    if len(image) < HEADER_BYTES:
        raise rejected("truncated", f"an image begins with a header of {HEADER_BYTES} bytes", len(image))
    magic, load_address, size, protected, payload, flags, major, minor, revision, build, reserved = _HEADER.unpack_from(
        image
    )
    if magic != IMAGE_MAGIC:
        raise rejected("magic", f"an MCUboot image begins with 0x{IMAGE_MAGIC:08x}, this has 0x{magic:08x}", 0)
    if size != HEADER_BYTES:
        raise rejected("header-size", f"the header says it has {size} bytes, not {HEADER_BYTES}", 8)
    if reserved:
        raise rejected("header-reserved", "the reserved field of the header is not zero", _RESERVED_OFFSET)
    return Header(load_address, size, protected, payload, flags, ImageVersion(major, minor, revision, build))


def _area(image: bytes, start: int, magic: int) -> tuple[tuple[Tlv, ...], int]:
    """The entries of the TLV area at `start`, and where it ends."""
    found, size = _pair(image, start, "a TLV area")
    if found != magic:
        raise rejected("area-magic", f"expected a TLV area that begins with 0x{magic:04x}, found 0x{found:04x}", start)
    end = start + size
    if size < _PAIR.size:
        raise rejected("area-size", f"a TLV area of {size} bytes cannot hold its own head", start + 2)
    if end > len(image):
        raise rejected("truncated", f"the TLV area at byte {start} ends at {end}, beyond the image", len(image))
    entries: list[Tlv] = []
    at = start + _PAIR.size
    while at < end:
        if at + _PAIR.size > end:
            raise rejected("tlv-overrun", "a TLV begins too close to the end of its area", at)
        kind, length = _PAIR.unpack_from(image, at)
        value = at + _PAIR.size
        if value + length > end:
            raise rejected("tlv-overrun", f"TLV 0x{kind:04x} of {length} bytes reaches beyond its area", at + 2)
        entries.append(Tlv(kind, at, image[value : value + length]))
        at = value + length
    return tuple(entries), end


def _pair(image: bytes, at: int, what: str) -> tuple[int, int]:
    if at + _PAIR.size > len(image):
        raise rejected("truncated", f"the image ends before the head of {what}", len(image))
    first, second = _PAIR.unpack_from(image, at)
    return first, second
