from __future__ import annotations

import dataclasses
import hashlib
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sealed_samples import Sealed, seal_model

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.decrypt import open_model, plain_model
from audit_pipeline.seal.ecies import WrappedKey, aes_ctr, is_canonical, is_low_order, unwrap
from audit_pipeline.seal.profile import SealedImage, read


def code_of(sealed: SealedImage, key: bytes) -> str:
    with pytest.raises(RejectedError) as caught:
        plain_model(sealed, key)
    return caught.value.code


def remade(sealed: SealedImage, key: bytes, plain: bytes, **changed: object) -> SealedImage:
    """What a signer who cheats could make: another plain payload, and an image hash that fits it."""
    parsed = dataclasses.replace(sealed.parsed, payload=aes_ctr(key, plain))
    digest = hashlib.sha256(parsed.header_area + plain + parsed.protected_area).digest()
    return dataclasses.replace(sealed, parsed=parsed, image_hash=digest, **changed)  # type: ignore[arg-type]


def test_aes_ctr_matches_the_published_cipher() -> None:
    # FIPS 197 appendix C.1 gives one block; in CTR mode the key stream's first block is the cipher of the counter, 0.
    # AES-128 of the zero block under the zero key: NIST SP 800-38D, test case 1 ("H").
    assert aes_ctr(bytes(16), bytes(16)).hex() == "66e94bd4ef8a2c3b884cfa59ca342b2e"


def test_the_model_comes_out_of_the_key_alone(small: Sealed) -> None:
    sealed = read(small.image)
    assert plain_model(sealed, unwrap(sealed.wrapped, small.recipient)) == small.model
    assert open_model(sealed, small.recipient) == small.model


def test_another_aes_key_is_rejected(small: Sealed) -> None:
    assert code_of(read(small.image), bytes(16)) == "image.hash"


def test_padding_that_is_not_zero_is_rejected_even_where_the_hash_fits() -> None:
    made = seal_model(60)
    sealed = read(made.image)
    key = unwrap(sealed.wrapped, made.recipient)
    assert code_of(remade(sealed, key, made.model + b"\x00\x00\x00\x01"), key) == "image.padding"


def test_another_model_is_rejected_even_where_the_hash_fits(small: Sealed) -> None:
    sealed = read(small.image)
    key = unwrap(sealed.wrapped, small.recipient)
    assert code_of(remade(sealed, key, bytes(64)), key) == "image.model"


def test_an_altered_wrapped_key_is_rejected(small: Sealed) -> None:
    wrapped = read(small.image).wrapped
    for field in ("ephemeral", "mac", "ciphertext"):
        value = getattr(wrapped, field)
        changed = dataclasses.replace(wrapped, **{field: bytes([value[0] ^ 2]) + value[1:]})
        with pytest.raises(RejectedError, match="recipient"):
            unwrap(changed, small.recipient)


def test_an_all_zero_shared_secret_is_rejected(small: Sealed) -> None:
    zero = WrappedKey(bytes(32), bytes(32), bytes(16))
    with pytest.raises(RejectedError) as caught:
        unwrap(zero, small.recipient)
    assert caught.value.code == "image.ephemeral-low-order"


def test_true_keys_are_canonical_and_of_full_order() -> None:
    rng = random.Random(1)
    for _ in range(200):
        public = X25519PrivateKey.from_private_bytes(rng.randbytes(32)).public_key()
        assert is_canonical(public.public_bytes_raw())
        assert not is_low_order(public)
