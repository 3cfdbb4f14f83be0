"""Private keys as OpenSSL keeps them: PKCS#8 under a passphrase (RFC 5958 section 3, PBES2 of RFC 8018).

The file itself says how often to iterate, and OpenSSL does as it is told: 2^31 rounds of PBKDF2, or terabytes for
scrypt. So the cost is read first, with just enough DER for it, and bounded.
"""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_private_key

from audit_pipeline.errors import InputError
from audit_pipeline.seal.keys.key_block import cost_refused, wrong_passphrase

LABEL = "ENCRYPTED PRIVATE KEY"

_MOST_ITERATIONS = 1_000_000
_MOST_SCRYPT = 2**17 * 8
"""Bound of N·r·p; scrypt takes 128 bytes of memory for each, so 128 MiB."""
_MOST_SCRYPT_R_P = 64
"""Bound of r and p; OpenSSL writes 8 and 1. A huge r with a tiny N takes three times as long for the same product."""

_REFUSALS = (TypeError, UnsupportedAlgorithm, InternalError)
"""Raised beside ValueError for a key that cannot be; InternalError for one that is too long or short for its curve."""

_SEQUENCE, _INTEGER, _OID = 0x30, 0x02, 0x06
_PBES2 = bytes.fromhex("2a864886f70d01050d")
_PBKDF2 = bytes.fromhex("2a864886f70d01050c")
_SCRYPT = bytes.fromhex("2b06010401da47040b")


def load_encrypted(der: bytes, passphrase: bytes, *, where: str) -> PrivateKeyTypes:
    """Open an EncryptedPrivateKeyInfo.

    Raises:
        InputError: `keys.cost`, `keys.damaged` or `keys.wrong-passphrase`.
    """
    check_cost(der, where=where)
    try:
        return load_der_private_key(der, passphrase)
    except ValueError:
        raise wrong_passphrase(where) from None
    except _REFUSALS:
        raise _damaged(where) from None


def load_plain(der: bytes, *, where: str) -> PrivateKeyTypes:
    """Read a PrivateKeyInfo that was encrypted and authenticated by other means.

    Raises:
        InputError: `keys.damaged`.
    """
    try:
        return load_der_private_key(der, None)
    except (ValueError, *_REFUSALS):
        raise _damaged(where) from None


def check_cost(der: bytes, *, where: str) -> None:
    """Check that a passphrase can be tried against an EncryptedPrivateKeyInfo in about a second.

    Raises:
        InputError: `keys.cost`, or `keys.damaged` where it is not PBES2 with PBKDF2 or scrypt.
    """
    try:
        kdf, numbers = _key_derivation(der)
    except (ValueError, IndexError, StopIteration):
        raise _damaged(where) from None
    if kdf == _PBKDF2 and numbers:
        if not 1 <= numbers[0] <= _MOST_ITERATIONS:
            raise cost_refused("more rounds of PBKDF2 than anybody waits for", where)
    elif kdf == _SCRYPT and len(numbers) >= 3:
        n, r, p = numbers[:3]
        if min(n, r, p) < 1 or n * r * p > _MOST_SCRYPT or max(r, p) > _MOST_SCRYPT_R_P:
            raise cost_refused("more memory or time for scrypt than N = 2^17, r = 8, p = 1 takes", where)
    else:
        raise _damaged(where)


def _key_derivation(der: bytes) -> tuple[bytes, list[int]]:
    """Object identifier of the key derivation in a PBES2, and the integers of its parameters in their order."""
    _, whole = next(_elements(der, _SEQUENCE))
    _, algorithm = next(_elements(whole, _SEQUENCE))
    scheme = _elements(algorithm, _OID, _SEQUENCE)
    if next(scheme)[1] != _PBES2:
        raise ValueError
    _, derivation = next(_elements(next(scheme)[1], _SEQUENCE))
    parts = _elements(derivation, _OID, _SEQUENCE)
    kdf, parameters = next(parts)[1], next(parts)[1]
    return kdf, [int.from_bytes(content, "big") for tag, content in _elements(parameters) if tag == _INTEGER]


def _elements(der: bytes, *expected: int) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each DER element, the first ones with the tags that are expected.

    Raises:
        ValueError: another tag, or a length that is not there. IndexError: cut short.
    """
    offset = number = 0
    while offset < len(der):
        tag, length = der[offset], der[offset + 1]
        start = offset + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(der[offset + 2 : start], "big")
        offset = start + length
        if offset > len(der) or (number < len(expected) and tag != expected[number]):
            raise ValueError
        number += 1
        yield tag, der[start:offset]


def _damaged(where: str) -> InputError:
    return InputError(
        "keys.damaged",
        "the private key in this file cannot be read",
        where=where,
        hint="kept by openssl? write it anew: openssl pkcs8 -topk8 -scrypt -in KEY -out NEW.key.pem",
    )
