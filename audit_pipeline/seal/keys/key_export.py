"""Keys in the forms that other tools and firmware take: PEM, DER, raw bytes, and C source.

C comes in two forms. `c` is for the verifier in `signing/device/`: the signer's SubjectPublicKeyInfo, or the device's
private scalar. `mcuboot-c` is MCUboot's `keys.c`: the arrays that `imgtool getpub` and `imgtool getpriv` print, in the
tables by which its bootloader finds them.
"""

from __future__ import annotations

from typing import Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

from audit_pipeline.seal.keys.forms import (
    RECIPIENT,
    SIGNER_PUBLIC,
    AnyPublic,
    KeyKind,
    RecipientPrivate,
    SignerPrivate,
    fingerprint,
    kind_of,
    require_key,
    spki,
)
from audit_pipeline.seal.keys.public_key import write_public

PublicForm = Literal["pem", "der", "raw", "c", "mcuboot-c"]
PrivateForm = Literal["pem", "raw", "c", "mcuboot-c"]

_PER_LINE = 8
_SCALAR_BYTES = 32
_TITLES: dict[KeyKind, str] = {"ed25519": "Ed25519", "p256": "P-256", "x25519": "X25519"}
_MCUBOOT_NAMES: dict[KeyKind, str] = {"ed25519": "ed25519_pub_key", "p256": "ecdsa_pub_key"}


def export_public(public: AnyPublic, form: PublicForm) -> bytes:
    """A public key in one of its forms.

    `raw` is 32 bytes of Ed25519 or X25519, or the 65 of an uncompressed P-256 point (SEC 1 section 2.3.3).

    Raises:
        InputError: `keys.wrong-kind`, an X25519 key as `mcuboot-c`: a bootloader's public key checks signatures.
    """
    match form:
        case "pem":
            return write_public(public)
        case "der":
            return spki(public)
        case "raw":
            return _raw(public)
        case "c":
            return _c_public(public).encode()
        case "mcuboot-c":
            return _mcuboot_public(public).encode()


def export_private(private: SignerPrivate | RecipientPrivate, form: PrivateForm, passphrase: bytes) -> bytes:
    """A private key for another tool, or in the clear for a device's firmware.

    `pem` is encrypted PKCS#8 under the same passphrase, as `cryptography` writes it (PBKDF2, 2,048 iterations): a
    guess at its passphrase costs a hundredth of what it costs here. The others are not encrypted at all; `raw` is the
    scalar, 32 bytes, as `c` has it.

    Raises:
        InputError: `keys.wrong-kind`, an Ed25519 key not as `pem`: no device holds a key that signs.
    """
    if form == "pem":
        return private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase),
        )
    recipient = require_key(private, RECIPIENT)
    if form == "raw":
        return _scalar(recipient)
    return (_c_private(recipient) if form == "c" else _mcuboot_private(recipient)).encode()


def _raw(public: AnyPublic) -> bytes:
    if isinstance(public, EllipticCurvePublicKey):
        return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return public.public_bytes_raw()


def _c_public(public: AnyPublic) -> str:
    content = spki(public)
    return (
        f"/* {_TITLES[kind_of(public)]} public key, SubjectPublicKeyInfo in DER.\n"
        f" * SHA-256 {fingerprint(public)} */\n"
        "#include <stddef.h>\n#include <stdint.h>\n\n"
        f"const uint8_t audit_public_key[{len(content)}] = {{\n{_hexadecimal(content)}}};\n"
        f"const size_t audit_public_key_bytes = {len(content)};\n"
    )


def _scalar(private: RecipientPrivate) -> bytes:
    if isinstance(private, EllipticCurvePrivateKey):
        return private.private_numbers().private_value.to_bytes(_SCALAR_BYTES, "big")
    return private.private_bytes_raw()


def _c_private(private: RecipientPrivate) -> str:
    order = "big endian" if isinstance(private, EllipticCurvePrivateKey) else "little endian (RFC 7748)"
    return (
        f"/* SECRET: {_TITLES[kind_of(private)]} private key of a device, its scalar, {order}.\n"
        f" * Public half: SHA-256 {fingerprint(private.public_key())} */\n"
        "#include <stdint.h>\n\n"
        f"const uint8_t audit_private_key[{_SCALAR_BYTES}] = {{\n{_hexadecimal(_scalar(private))}}};\n"
    )


def _mcuboot_public(public: AnyPublic) -> str:
    signer = require_key(public, SIGNER_PUBLIC)
    name = _MCUBOOT_NAMES[kind_of(signer)]
    return (
        f"/* {_TITLES[kind_of(signer)]} key that images are verified with, SHA-256 {fingerprint(signer)} */\n"
        "#include <bootutil/sign_key.h>\n\n"
        f"{_mcuboot_array(name, spki(signer))}\n"
        f"const struct bootutil_key bootutil_keys[] = {{\n    {{ .key = {name}, .len = &{name}_len }},\n}};\n"
        "const int bootutil_key_cnt = 1;\n"
    )


def _mcuboot_private(private: RecipientPrivate) -> str:
    pkcs8 = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (
        f"/* SECRET: {_TITLES[kind_of(private)]} private key that images are decrypted with.\n"
        f" * Public half: SHA-256 {fingerprint(private.public_key())} */\n"
        "#include <bootutil/sign_key.h>\n\n"
        f"{_mcuboot_array('enc_priv_key', pkcs8)}\n"
        "const struct bootutil_key bootutil_enc_key = {\n    .key = enc_priv_key,\n    .len = &enc_priv_key_len,\n};\n"
    )


def _mcuboot_array(name: str, content: bytes) -> str:
    return (
        f"const unsigned char {name}[] = {{\n{_hexadecimal(content)}}};\n"
        f"const unsigned int {name}_len = {len(content)};\n"
    )


def _hexadecimal(content: bytes) -> str:
    rows = (content[start : start + _PER_LINE] for start in range(0, len(content), _PER_LINE))
    return "".join("    " + " ".join(f"0x{byte:02x}," for byte in row) + "\n" for row in rows)
