from __future__ import annotations

import hashlib
import random
import struct

import pytest
from sealed_samples import POLICY, Sealed, reassemble, seal_model, verdict_of

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.parse import Tlv, TlvType, parse
from audit_pipeline.seal.profile import read

FIELD_PRIME = 2**255 - 19
# The u-coordinates whose order divides the cofactor: cr.yp.to/ecdh.html, "validate". Canonical forms only.
LOW_ORDER = [
    0,
    1,
    FIELD_PRIME - 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
]


def code_of(image: bytes) -> str:
    with pytest.raises(RejectedError) as caught:
        read(image)
    assert caught.value.where is not None
    return caught.value.code


def with_value(image: bytes, kind: TlvType, value: bytes) -> bytes:
    def swap(tlvs: tuple[Tlv, ...]) -> list[Tlv]:
        return [Tlv(tlv.type, 0, value) if tlv.type == kind else tlv for tlv in tlvs]

    parsed = parse(image)
    return reassemble(image, protected=swap(parsed.protected), unprotected=swap(parsed.unprotected))


def test_reassembling_an_image_unchanged_gives_the_image(small: Sealed) -> None:
    assert reassemble(small.image) == small.image


def test_the_values_are_those_the_image_was_made_of(small: Sealed) -> None:
    sealed = read(small.image)
    assert str(sealed.version) == "1.4.0+7"
    assert sealed.security_counter == 7
    assert (sealed.model_bytes, sealed.model_sha256) == (64, hashlib.sha256(small.model).hexdigest())
    assert sealed.policy_sha256 == hashlib.sha256(POLICY).hexdigest()
    assert sealed.verdict_sha256 == sha256_hex(verdict_of(small.model))


def test_the_layout_is_the_documented_one_byte_for_byte(small: Sealed) -> None:
    # Offsets as signing/README.md gives them for a payload of P = 64 bytes.
    image, p = small.image, 64
    assert image[32 + p : 36 + p] == struct.pack("<HH", 0x6908, 124)
    assert image[36 + p : 44 + p] == struct.pack("<HHI", 0x50, 4, 7)
    assert image[44 + p : 48 + p] == struct.pack("<HH", 0xA0, 32)
    assert image[80 + p : 88 + p] == struct.pack("<HHI", 0xA1, 36, 64)
    assert image[88 + p : 120 + p] == hashlib.sha256(small.model).digest()
    assert image[120 + p : 124 + p] == struct.pack("<HH", 0xA2, 32)
    assert image[156 + p : 160 + p] == struct.pack("<HH", 0x6907, 228)
    heads = {160: (0x10, 32), 196: (0x01, 32), 232: (0x24, 64), 300: (0x33, 80)}
    for offset, head in heads.items():
        assert struct.unpack_from("<HH", image, offset + p) == head
    assert len(image) == 384 + p


def test_reordered_missing_and_duplicate_tlvs_are_rejected(small: Sealed) -> None:
    rng = random.Random(5)
    for area in ("protected", "unprotected"):
        tlvs = list(getattr(parse(small.image), area))
        for position in range(len(tlvs)):
            assert code_of(reassemble(small.image, **{area: tlvs[:position] + tlvs[position + 1 :]})) == "image.tlv-set"
            doubled = [*tlvs[: position + 1], *tlvs[position:]]
            assert code_of(reassemble(small.image, **{area: doubled})) == "image.tlv-set"
        shuffled = tlvs[:]
        while shuffled == tlvs:
            rng.shuffle(shuffled)
        assert code_of(reassemble(small.image, **{area: shuffled})) == "image.tlv-set"


@pytest.mark.parametrize("kind", [0x02, 0x25, 0x40, 0x50, 0xA0, 0xA3, 0x00A5, 0xFFFF])
def test_an_injected_tlv_is_rejected_in_either_area(small: Sealed, kind: int) -> None:
    parsed = parse(small.image)
    injected = Tlv(kind, 0, b"\x01")
    assert code_of(reassemble(small.image, unprotected=[*parsed.unprotected, injected])) == "image.tlv-set"
    assert code_of(reassemble(small.image, protected=[*parsed.protected, injected])) == "image.tlv-set"


def test_no_protected_tlvs_at_all_is_rejected(small: Sealed) -> None:
    parsed = parse(small.image)
    stripped = bytearray(parsed.header_area)
    struct.pack_into("<H", stripped, 10, 0)
    tail = small.image[32 + 64 + len(parsed.protected_area) :]
    assert code_of(bytes(stripped) + parsed.payload + tail) == "image.tlv-set"


@pytest.mark.parametrize("kind", list(TlvType))
def test_a_tlv_of_another_length_is_rejected(small: Sealed, kind: TlvType) -> None:
    parsed = parse(small.image)
    value = next(tlv.value for tlv in parsed.protected + parsed.unprotected if tlv.type == kind)
    for other in (value[:-1], value + b"\x00", b""):
        assert code_of(with_value(small.image, kind, other)) == "image.tlv-length"


@pytest.mark.parametrize(
    ("offset", "value", "code"),
    [
        (4, 0x0800_0000, "image.load-address"),
        (16, 0x0, "image.flags"),
        (16, 0x8, "image.flags"),
        (16, 0x14, "image.flags"),
        (16, 0x24, "image.flags"),
    ],
)
def test_a_header_that_asks_for_something_else_is_rejected(small: Sealed, offset: int, value: int, code: str) -> None:
    changed = bytearray(small.image)
    struct.pack_into("<I", changed, offset, value)
    assert code_of(bytes(changed)) == code


@pytest.mark.parametrize("length", [0, 1, 48, 65, 80, 0xFFFF_FFFF])
def test_a_model_length_that_does_not_fill_the_payload_is_rejected(small: Sealed, length: int) -> None:
    value = struct.pack("<I", length) + hashlib.sha256(small.model).digest()
    assert code_of(with_value(small.image, TlvType.MODEL, value)) == "image.model-length"


def test_a_payload_that_is_not_whole_blocks_is_rejected() -> None:
    image = seal_model(16).image
    changed = bytearray(image[:40] + image[48:])
    struct.pack_into("<I", changed, 12, 8)
    assert code_of(bytes(changed)) == "image.payload-size"


def test_an_ephemeral_key_in_another_encoding_of_itself_is_rejected(small: Sealed) -> None:
    wrapped = parse(small.image).unprotected[-1].value
    masked = wrapped[:31] + bytes([wrapped[31] | 0x80]) + wrapped[32:]
    assert code_of(with_value(small.image, TlvType.ENC_X25519, masked)) == "image.ephemeral-not-canonical"
    for u in (FIELD_PRIME, FIELD_PRIME + 9, 2**255 - 1):
        value = u.to_bytes(32, "little") + wrapped[32:]
        assert code_of(with_value(small.image, TlvType.ENC_X25519, value)) == "image.ephemeral-not-canonical"


@pytest.mark.parametrize("u", LOW_ORDER)
def test_an_ephemeral_key_that_makes_an_all_zero_secret_is_rejected(small: Sealed, u: int) -> None:
    value = u.to_bytes(32, "little") + parse(small.image).unprotected[-1].value[32:]
    assert code_of(with_value(small.image, TlvType.ENC_X25519, value)) == "image.ephemeral-low-order"
