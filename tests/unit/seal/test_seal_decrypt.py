from __future__ import annotations

import struct

import pytest
from sealed_samples import (
    COMBINATIONS,
    Sealed,
    aes_key_of,
    flip,
    new_recipient,
    plain_image,
    resealed,
    sample,
    seal_model,
)

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.decrypt import open_model, plain_model
from audit_pipeline.seal.ecies import RecipientKind
from audit_pipeline.seal.parse import Tlv, TlvType, parse
from audit_pipeline.seal.profile import SignatureKind, read
from audit_pipeline.seal.settings import AesBits


def rejection(sealed: Sealed, image: bytes) -> RejectedError:
    with pytest.raises(RejectedError) as caught:
        open_model(read(image), sealed.recipient)
    assert caught.value.where is not None
    return caught.value


@pytest.mark.parametrize(("signer", "recipient", "bits"), COMBINATIONS)
def test_the_model_comes_out_of_the_key_alone(signer: SignatureKind, recipient: RecipientKind, bits: AesBits) -> None:
    made = sample(signer, recipient, bits)
    sealed = read(made.image)
    assert open_model(sealed, made.recipient) == made.model
    assert len(aes_key_of(made)) == bits // 8
    assert plain_model(sealed, aes_key_of(made)) == made.model
    assert plain_image(made)[32:96] == made.model


def test_another_aes_key_is_rejected(small: Sealed) -> None:
    with pytest.raises(RejectedError) as caught:
        plain_model(read(small.image), bytes(16))
    assert caught.value.code == "image.hash"


@pytest.mark.parametrize("kind", ["x25519", "p256"])
def test_a_stranger_opens_nothing(small: Sealed, p256: Sealed, kind: RecipientKind) -> None:
    for made in (small, p256):
        with pytest.raises(RejectedError) as caught:
            open_model(read(made.image), new_recipient(kind))
        assert caught.value.code == "image.wrong-recipient"


def test_padding_that_is_not_zero_is_rejected_even_where_hash_and_signature_fit() -> None:
    made = seal_model(60)
    error = rejection(made, resealed(made, plain=made.model + b"\x00\x00\x00\x01"))
    assert (error.code, error.where) == ("image.padding", "byte 92 of the image")


def test_another_model_is_rejected_even_where_hash_and_signature_fit(small: Sealed) -> None:
    error = rejection(small, resealed(small, plain=bytes(64)))
    assert (error.code, error.where) == ("image.model", "byte 148 of the image")


def test_a_shorter_length_of_the_same_model_is_rejected_even_where_hash_and_signature_fit(small: Sealed) -> None:
    tlvs = list(parse(small.image).protected)
    value = struct.pack("<I", 63) + tlvs[2].value[4:]
    tlvs[2] = Tlv(TlvType.MODEL, 0, value)
    # The model's last byte would be padding now, and is not zero.
    assert small.model[63] != 0
    assert rejection(small, resealed(small, protected=tlvs)).code == "image.padding"


def test_what_a_cheat_signs_again_unchanged_is_the_image(small: Sealed) -> None:
    assert resealed(small) == small.image


def test_every_flipped_bit_of_payload_and_protected_entries_ends_at_the_hash(small: Sealed) -> None:
    counter, digests = range(104 * 8, 108 * 8), range(112 * 8, 144 * 8)
    for bit in (*range(32 * 8, 96 * 8), *counter, *digests):
        assert rejection(small, flip(small.image, bit)).code == "image.hash"
