"""ECIES the other way round: what anybody can do who has a device's public key, and no more.

Written from MCUboot's docs/encrypted_images.md; the project has only the direction that opens.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.ec import ECDH, SECP256R1, EllipticCurvePublicKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def wrap(aes_key: bytes, recipient: X25519PublicKey | EllipticCurvePublicKey) -> bytes:
    """The value of TLV 0x33 or 0x32 that gives a device this AES key."""
    if isinstance(recipient, X25519PublicKey):
        one = X25519PrivateKey.generate()
        return wrap_with_secret(aes_key, one.public_key().public_bytes_raw(), one.exchange(recipient))
    two = generate_private_key(SECP256R1())
    point = two.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return wrap_with_secret(aes_key, point, two.exchange(ECDH(), recipient))


def wrap_with_secret(aes_key: bytes, ephemeral: bytes, shared: bytes) -> bytes:
    """The same where the shared secret is known without any key, as it is with a point of small order."""
    size = len(aes_key)
    derived = HKDF(hashes.SHA256(), size + 32, salt=None, info=b"MCUBoot_ECIES_v1").derive(shared)
    ciphertext = ctr(derived[:size], aes_key)
    mac = hmac.HMAC(derived[size:], hashes.SHA256())
    mac.update(ciphertext)
    return ephemeral + mac.finalize() + ciphertext


def ctr(key: bytes, data: bytes) -> bytes:
    """AES-CTR from zero, its own inverse."""
    cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    return cipher.update(data) + cipher.finalize()
