"""Firmware taken apart: an MCUboot image into header, payload and TLVs, and any file into the models it holds."""

from __future__ import annotations

from collections.abc import Iterator

from audit_pipeline.errors import RejectedError
from audit_pipeline.privacy.opened.section import Region, Section
from audit_pipeline.privacy.opened.tflite import is_tflite, tflite_section
from audit_pipeline.seal.parse import ParsedImage, Tlv, TlvType, looks_like_image, parse_front
from audit_pipeline.tflite import IDENTIFIER

_ENCRYPTED = 0x04 | 0x08
"""Header flags of MCUboot: the payload is encrypted with AES-128 or AES-256."""
_IDENTIFIER_OFFSET = 4


def is_image(data: bytes) -> bool:
    """Whether bytes begin with an MCUboot image that can be taken apart."""
    if not looks_like_image(data):
        return False
    try:
        parse_front(data)
    except RejectedError:
        return False
    return True


def image_sections(name: str, data: bytes) -> tuple[Section, ...]:
    """What can be read of an image: all of a plain one; of an encrypted one all but the payload."""
    parsed, end = parse_front(data)
    start, stop = parsed.header.header_bytes, parsed.header.header_bytes + parsed.header.payload_bytes
    front = Section(f"{name}: header", data[:start])
    around = Section(name, data[stop:], stop, _tlv_regions(parsed, stop), end=end - stop)
    if parsed.header.flags & _ENCRYPTED:
        return front, around
    return front, *firmware_sections(f"{name}: payload", parsed.payload, start), around


def _tlv_regions(parsed: ParsedImage, base: int) -> tuple[Region, ...]:
    return tuple(
        Region(tlv.value_offset - base, tlv.end - base, f"{area} TLV {_tlv_name(tlv)}")
        for area, entries in (("protected", parsed.protected), ("unprotected", parsed.unprotected))
        for tlv in entries
        if tlv.value
    )


def _tlv_name(tlv: Tlv) -> str:
    return f"0x{tlv.type:02x}" + (f" ({TlvType(tlv.type).name})" if tlv.type in set(TlvType) else "")


def firmware_sections(name: str, data: bytes, base: int = 0) -> tuple[Section, ...]:
    """A .tflite from its first byte on, or bytes of any kind with the models that stand somewhere in them."""
    if is_tflite(data):
        return (tflite_section(name, data, base),)
    return tuple(_around_models(name, data, base))


def _around_models(name: str, data: bytes, base: int) -> Iterator[Section]:
    """What follows a model in firmware is more firmware and not trailing."""
    done, at = 0, data.find(IDENTIFIER)
    while at >= 0:
        start = at - _IDENTIFIER_OFFSET
        model = (
            tflite_section(f"{name}: model at {base + start}", data[start:], base + start) if start >= done else None
        )
        if model is not None and model.end:
            if start > done:
                yield Section(name, data[done:start], base + done)
            done = start + model.end
            yield Section(model.name, model.data[: model.end], model.base, model.regions, model.constants)
        at = data.find(IDENTIFIER, max(done, at + 1))
    if done < len(data) or not data:
        yield Section(name, data[done:], base + done)
