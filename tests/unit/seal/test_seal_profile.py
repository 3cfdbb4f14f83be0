from __future__ import annotations

import hashlib
import random
import struct

import pytest
from sealed_samples import (
    COMBINATIONS,
    FULL,
    LOG_ROOT,
    LOG_SIZE,
    POLICY,
    Sealed,
    reassemble,
    sample,
    seal_model,
    value_of,
    verdict_of,
    with_value,
)

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.ecies import RecipientKind
from audit_pipeline.seal.parse import Tlv, TlvType, parse
from audit_pipeline.seal.profile import SignatureKind, read
from audit_pipeline.seal.settings import AesBits

X25519_PRIME = 2**255 - 19


def rejection(image: bytes) -> RejectedError:
    with pytest.raises(RejectedError) as caught:
        read(image)
    assert caught.value.where is not None and caught.value.where.startswith("byte ")
    return caught.value


def code_of(image: bytes) -> str:
    return rejection(image).code


def test_reassembling_an_image_unchanged_gives_the_image(small: Sealed, full: Sealed, p256: Sealed) -> None:
    for sealed in (small, full, p256):
        assert reassemble(sealed.image) == sealed.image


def test_the_values_are_those_the_image_was_made_of(full: Sealed) -> None:
    sealed = read(full.image)
    assert str(sealed.version) == "1.4.0+7"
    assert sealed.security_counter == 7
    assert (sealed.dependency, sealed.vendor_id, sealed.class_id) == (FULL.dependency, FULL.vendor_id, FULL.class_id)
    assert (sealed.model_bytes, sealed.model_sha256) == (64, hashlib.sha256(full.model).hexdigest())
    assert sealed.policy_sha256 == hashlib.sha256(POLICY).hexdigest()
    assert sealed.verdict_sha256 == sha256_hex(verdict_of(full.model))
    assert (sealed.log_size, sealed.log_root) == (LOG_SIZE, LOG_ROOT)


@pytest.mark.parametrize(("signer", "recipient", "bits"), COMBINATIONS)
def test_each_combination_says_what_it_is(signer: SignatureKind, recipient: RecipientKind, bits: AesBits) -> None:
    sealed = read(sample(signer, recipient, bits).image)
    assert (sealed.signature_kind, sealed.recipient_kind, sealed.aes_bits) == (signer, recipient, bits)
    assert sealed.parsed.header.flags == {128: 0x4, 256: 0x8}[bits]
    assert sealed.parsed.unprotected[2].type == {"ed25519": 0x24, "p256": 0x22}[signer]
    wrapped = sealed.parsed.unprotected[3]
    assert wrapped.type == {"x25519": 0x33, "p256": 0x32}[recipient]
    assert len(wrapped.value) == {"x25519": 32, "p256": 65}[recipient] + 32 + bits // 8


def test_the_layout_is_the_documented_one_byte_for_byte(small: Sealed) -> None:
    # Offsets as signing/README.md gives them for a payload of P = 64 bytes.
    image, p = small.image, 64
    assert image[32 + p : 36 + p] == struct.pack("<HH", 0x6908, 168)
    assert image[36 + p : 44 + p] == struct.pack("<HHI", 0x50, 4, 7)
    assert image[44 + p : 48 + p] == struct.pack("<HH", 0xA0, 32)
    assert image[80 + p : 88 + p] == struct.pack("<HHI", 0xA1, 36, 64)
    assert image[88 + p : 120 + p] == hashlib.sha256(small.model).digest()
    assert image[120 + p : 124 + p] == struct.pack("<HH", 0xA2, 32)
    assert image[156 + p : 168 + p] == struct.pack("<HHQ", 0xA3, 40, LOG_SIZE)
    assert image[168 + p : 200 + p] == bytes.fromhex(LOG_ROOT)
    assert image[200 + p : 204 + p] == struct.pack("<HH", 0x6907, 228)
    heads = {204: (0x10, 32), 240: (0x01, 32), 276: (0x24, 64), 344: (0x33, 80)}
    for offset, head in heads.items():
        assert struct.unpack_from("<HH", image, offset + p) == head
    assert len(image) == 428 + p


def test_the_optional_entries_stand_between_counter_and_verdict(full: Sealed) -> None:
    image = full.image[32 + 64 :]
    assert image[12:32] == struct.pack("<HHB3xBBHI", 0x40, 12, 1, 2, 0, 3, 9) + struct.pack("<HH", 0x74, 16)
    assert image[32:48] == FULL.vendor_id.bytes  # type: ignore[union-attr]
    assert image[48:68] == struct.pack("<HH", 0x75, 16) + FULL.class_id.bytes  # type: ignore[union-attr]
    assert image[68:72] == struct.pack("<HH", 0xA0, 32)


@pytest.mark.parametrize("which", ["small", "full", "p256"])
def test_reordered_missing_and_duplicate_tlvs_are_rejected(which: str, request: pytest.FixtureRequest) -> None:
    image, rng = request.getfixturevalue(which).image, random.Random(5)
    optional = {TlvType.DEPENDENCY, TlvType.DEVICE_CLASS}
    for area in ("protected", "unprotected"):
        tlvs = list(getattr(parse(image), area))
        for position in range(len(tlvs)):
            if tlvs[position].type not in optional:
                fewer = tlvs[:position] + tlvs[position + 1 :]
                assert code_of(reassemble(image, **{area: fewer})) == "image.tlv-set"
            doubled = [*tlvs[: position + 1], *tlvs[position:]]
            assert code_of(reassemble(image, **{area: doubled})) == "image.tlv-set"
        for _ in range(20):
            shuffled = rng.sample(tlvs, len(tlvs))
            if shuffled != tlvs:
                assert code_of(reassemble(image, **{area: shuffled})) == "image.tlv-set"


def test_each_optional_entry_may_be_missing_but_for_the_vendor_of_a_class(full: Sealed) -> None:
    protected = parse(full.image).protected

    def without(*kinds: int) -> bytes:
        return reassemble(full.image, protected=[tlv for tlv in protected if tlv.type not in kinds])

    assert read(without(0x40)).dependency is None
    assert read(without(0x75)).class_id is None
    assert read(without(0x74, 0x75)).vendor_id is None
    error = rejection(without(0x74))
    assert (error.code, error.where) == ("image.tlv-set", f"byte {32 + 64 + 12 + 16} of the image")


def test_the_entry_at_fault_is_named_by_its_place(small: Sealed) -> None:
    protected, unprotected = parse(small.image).protected, parse(small.image).unprotected
    swapped = [protected[0], protected[2], protected[1], *protected[3:]]
    assert rejection(reassemble(small.image, protected=swapped)).where == "byte 108 of the image"
    assert rejection(reassemble(small.image, protected=protected[:-1])).where == "byte 220 of the image"
    extra = reassemble(small.image, unprotected=[*unprotected, unprotected[0]])
    assert rejection(extra).where == "byte 492 of the image"
    assert "0x10, 0x01, 0x22 or 0x24, 0x32 or 0x33" in str(rejection(extra))


@pytest.mark.parametrize("kind", [0x00, 0x01, 0x02, 0x10, 0x20, 0x25, 0x30, 0x40, 0x50, 0x60, 0x70, 0xA0, 0xA4, 0xFFFF])
def test_an_injected_tlv_is_rejected_in_either_area(small: Sealed, kind: int) -> None:
    parsed = parse(small.image)
    injected = Tlv(kind, 0, b"\x01")
    for position in range(5):
        unprotected = [*parsed.unprotected[:position], injected, *parsed.unprotected[position:]]
        assert code_of(reassemble(small.image, unprotected=unprotected)) == "image.tlv-set"
    assert code_of(reassemble(small.image, protected=[*parsed.protected, injected])) == "image.tlv-set"


def test_a_second_signature_or_wrapping_of_the_other_kind_is_rejected(small: Sealed, p256: Sealed) -> None:
    ours, theirs = parse(small.image).unprotected, parse(p256.image).unprotected
    for position in (2, 3):
        both = [*ours[: position + 1], theirs[position], *ours[position + 1 :]]
        assert code_of(reassemble(small.image, unprotected=both)) == "image.tlv-set"


def test_no_tlvs_at_all_are_rejected_where_the_area_would_be(small: Sealed) -> None:
    parsed = parse(small.image)
    stripped = bytearray(parsed.header_area)
    struct.pack_into("<H", stripped, 10, 0)
    tail = small.image[32 + 64 + len(parsed.protected_area) :]
    error = rejection(bytes(stripped) + parsed.payload + tail)
    assert (error.code, error.where) == ("image.tlv-set", "byte 96 of the image")
    error = rejection(reassemble(small.image, unprotected=[]))
    assert (error.code, error.where) == ("image.tlv-set", "byte 264 of the image")


@pytest.mark.parametrize("kind", list(TlvType))
def test_a_tlv_of_another_length_is_rejected(full: Sealed, p256: Sealed, kind: TlvType) -> None:
    image = (p256 if kind in {TlvType.ECDSA, TlvType.ENC_P256} else full).image
    value = value_of(image, kind)
    others = [b"", bytes(7), bytes(73)] if kind == TlvType.ECDSA else [value[:-1], value + b"\x00", b""]
    for other in others:
        error = rejection(with_value(image, kind, other))
        assert error.code == "image.tlv-length"


def test_a_wrapped_key_of_the_other_aes_is_rejected(small: Sealed, p256: Sealed) -> None:
    for image, flags in ((small.image, 0x8), (p256.image, 0x4)):
        changed = bytearray(image)
        struct.pack_into("<I", changed, 16, flags)
        assert code_of(bytes(changed)) == "image.tlv-length"


@pytest.mark.parametrize(
    ("offset", "value", "code"),
    [
        (4, 0x0800_0000, "image.load-address"),
        (16, 0x0, "image.flags"),
        (16, 0xC, "image.flags"),
        (16, 0x14, "image.flags"),
        (16, 0x24, "image.flags"),
        (16, 0x18, "image.flags"),
        (16, 0x8000_0004, "image.flags"),
    ],
)
def test_a_header_that_asks_for_something_else_is_rejected(small: Sealed, offset: int, value: int, code: str) -> None:
    changed = bytearray(small.image)
    struct.pack_into("<I", changed, offset, value)
    error = rejection(bytes(changed))
    assert (error.code, error.where) == (code, f"byte {offset} of the image")


@pytest.mark.parametrize("length", [0, 1, 48, 65, 80, 0xFFFF_FFFF])
def test_a_model_length_that_does_not_fill_the_payload_is_rejected(small: Sealed, length: int) -> None:
    value = struct.pack("<I", length) + hashlib.sha256(small.model).digest()
    assert code_of(with_value(small.image, TlvType.MODEL, value)) == "image.model-length"


def test_an_empty_log_is_rejected_and_the_largest_is_read(small: Sealed) -> None:
    assert code_of(with_value(small.image, TlvType.LOG, bytes(8) + bytes(32))) == "image.log-size"
    assert read(with_value(small.image, TlvType.LOG, b"\xff" * 8 + bytes(32))).log_size == 2**64 - 1


@pytest.mark.parametrize("position", [1, 2, 3])
def test_a_dependency_whose_padding_says_something_is_rejected(full: Sealed, position: int) -> None:
    value = bytearray(value_of(full.image, TlvType.DEPENDENCY))
    value[position] = 1
    assert code_of(with_value(full.image, TlvType.DEPENDENCY, bytes(value))) == "image.dependency"


def test_a_payload_that_is_not_whole_blocks_is_rejected() -> None:
    image = seal_model(16).image
    changed = bytearray(image[:40] + image[48:])
    struct.pack_into("<I", changed, 12, 8)
    assert code_of(bytes(changed)) == "image.payload-size"
    assert code_of(reassemble(image, payload=b"")) == "image.payload-size"


def test_an_ephemeral_key_in_another_encoding_of_itself_is_rejected(small: Sealed, p256: Sealed) -> None:
    wrapped = value_of(small.image, TlvType.ENC_X25519)
    masked = wrapped[:31] + bytes([wrapped[31] | 0x80]) + wrapped[32:]
    error = rejection(with_value(small.image, TlvType.ENC_X25519, masked))
    assert (error.code, error.where) == ("image.ephemeral-not-canonical", f"byte {412 + 31} of the image")
    for u in (X25519_PRIME, X25519_PRIME + 9, 2**255 - 1):
        value = u.to_bytes(32, "little") + wrapped[32:]
        assert code_of(with_value(small.image, TlvType.ENC_X25519, value)) == "image.ephemeral-not-canonical"
    wrapped = value_of(p256.image, TlvType.ENC_P256)
    hybrid = bytes([0x06 | wrapped[64] & 1]) + wrapped[1:]
    assert code_of(with_value(p256.image, TlvType.ENC_P256, hybrid)) == "image.ephemeral-not-canonical"


def test_an_ephemeral_key_that_is_none_is_rejected(small: Sealed, p256: Sealed) -> None:
    zero = bytes(32) + value_of(small.image, TlvType.ENC_X25519)[32:]
    assert code_of(with_value(small.image, TlvType.ENC_X25519, zero)) == "image.ephemeral-low-order"
    wrapped = bytearray(value_of(p256.image, TlvType.ENC_P256))
    wrapped[64] ^= 1
    assert code_of(with_value(p256.image, TlvType.ENC_P256, bytes(wrapped))) == "image.ephemeral-off-curve"
