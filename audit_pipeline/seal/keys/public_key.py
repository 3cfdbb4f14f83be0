"""Public keys from PEM, each in one encoding: what is counted, pinned and hashed are bytes, so they must be unique.

OpenSSL also reads compressed points, curves spelled out parameter by parameter (CVE-2020-0601 was made of those) and
points whose coordinates are not reduced. None of them is taken: the file must be the SubjectPublicKeyInfo that would be
written again.
"""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from audit_pipeline.errors import InputError
from audit_pipeline.seal.ecies import is_low_order
from audit_pipeline.seal.keys.forms import ANY_PUBLIC, AnyPublic, Key, KeyForm, require_key, spki
from audit_pipeline.seal.keys.pem import PemBlock, read_pem, write_pem

LABEL = "PUBLIC KEY"

_FIELD_PRIME = 2**255 - 19
_SIGN_BIT = 1 << 255
_ORDER_EIGHT_Y = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
"""y of two of the four points of order eight on edwards25519; the other two have its negative."""
_WEAK_Y = frozenset({0, 1, _FIELD_PRIME - 1, _ORDER_EIGHT_Y, _FIELD_PRIME - _ORDER_EIGHT_Y})


def read_public(text: bytes, wanted: KeyForm[Key], *, where: str) -> Key:
    """A public key of the wanted form, from the text of a PEM file.

    Raises:
        InputError: `keys.not-pem`, `keys.private-where-public`, `keys.damaged`, `keys.wrong-kind`,
            `keys.not-canonical` or `keys.low-order`.
    """
    block = read_pem(text, where=where)
    if block.label.endswith("PRIVATE KEY"):
        raise private_where_public(wanted.name, where)
    if block.label != LABEL:
        raise _damaged(where)
    return read_spki(block.content, wanted, where=where)


def read_spki(der: bytes, wanted: KeyForm[Key], *, where: str) -> Key:
    """A public key of the wanted form, from its SubjectPublicKeyInfo in DER.

    Raises:
        InputError: `keys.damaged`, `keys.wrong-kind`, `keys.not-canonical` or `keys.low-order`.
    """
    try:
        loaded = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        raise _damaged(where) from None
    key = require_key(loaded, wanted, where=where)
    _check_encoding(require_key(loaded, ANY_PUBLIC, where=where), der, where)
    return key


def write_public(public: AnyPublic) -> bytes:
    """A public key as a PEM file."""
    return write_pem(PemBlock(LABEL, spki(public)))


def private_where_public(wanted: str, where: str) -> InputError:
    """The error for a private key that was given for a public one."""
    return InputError(
        "keys.private-where-public",
        f"this is a private key, and {wanted} belongs here",
        where=where,
        hint="give the file that ends in .pub.pem, and keep this one to yourself",
    )


def _check_encoding(key: AnyPublic, der: bytes, where: str) -> None:
    if spki(key) != der or not _is_reduced(key):
        raise InputError(
            "keys.not-canonical",
            "this public key is not in its one encoding: named curve, uncompressed point, reduced coordinate",
            where=where,
            hint="write it anew: openssl ec -pubin -in KEY -pubout -param_enc named_curve -conv_form uncompressed",
        )
    if _is_weak(key):
        raise InputError(
            "keys.low-order",
            "this public key is of low order: everybody knows its secrets and can make its signatures",
            where=where,
            hint="make a new pair with `audit keys new`",
        )


def _coordinate(key: Ed25519PublicKey | X25519PublicKey) -> int:
    number = int.from_bytes(key.public_bytes_raw(), "little")
    return number % _SIGN_BIT if isinstance(key, Ed25519PublicKey) else number


def _is_reduced(key: AnyPublic) -> bool:
    return not isinstance(key, (Ed25519PublicKey, X25519PublicKey)) or _coordinate(key) < _FIELD_PRIME


def _is_weak(key: AnyPublic) -> bool:
    if isinstance(key, Ed25519PublicKey):
        return _coordinate(key) in _WEAK_Y
    return isinstance(key, X25519PublicKey) and is_low_order(key)


def _damaged(where: str) -> InputError:
    return InputError("keys.damaged", "the public key in this file cannot be read", where=where)
