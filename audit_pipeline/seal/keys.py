"""Key files: Ed25519 signs images and attestations, X25519 is the device an image is encrypted for.

A key pair is two PEM files, `NAME.key.pem` (PKCS#8 under a passphrase, mode 0600) and `NAME.pub.pem`
(SubjectPublicKeyInfo). The passphrase protects the file by what `cryptography` calls its best available encryption:
PBES2 with PBKDF2-HMAC-SHA256, 2,048 iterations, a random salt, and AES-256-CBC. So few iterations slow a guesser
little: the strength is the passphrase's own. A key wrapped with scrypt by `openssl pkcs8 -topk8 -scrypt` loads too.

No message here ever repeats a byte of a key or of a passphrase.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from audit_pipeline.errors import InputError, ToolError
from audit_pipeline.seal.ecies import is_low_order
from audit_pipeline.seal.key_forms import (
    RECIPIENT,
    RECIPIENT_PUBLIC,
    SIGNER,
    SIGNER_PUBLIC,
    Key,
    KeyForm,
    fingerprint,
    require_key,
)

__all__ = [
    "KeyFiles",
    "KeyKind",
    "fingerprint",
    "load_any_public",
    "load_recipient",
    "load_recipient_public",
    "load_signer",
    "load_signer_public",
    "new_key",
]

KeyKind = Literal["ed25519", "x25519"]

PRIVATE_SUFFIX = ".key.pem"
PUBLIC_SUFFIX = ".pub.pem"

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MAX_FILE_BYTES = 1 << 16
_MAX_PASSPHRASE_BYTES = 1023


@dataclass(frozen=True)
class KeyFiles:
    """A key pair that was just written."""

    kind: KeyKind
    private: Path
    public: Path
    fingerprint: str


def new_key(kind: KeyKind, path: Path, passphrase: bytes) -> KeyFiles:
    """Make a key pair from the system's random numbers.

    Args:
        kind: `ed25519` to sign, `x25519` to be encrypted for.
        path: folder and name; `.key.pem` and `.pub.pem` are put after the name.
        passphrase: protects the private key; 1 to 1,023 bytes.

    Raises:
        InputError: `keys.passphrase-empty`, `keys.passphrase-too-long`, `keys.no-name`, `keys.exists`
            (nothing is ever overwritten) or `keys.no-folder`.
        ToolError: `keys.write-failed`; neither file is left behind.
    """
    _check_passphrase(passphrase)
    if not path.name:
        raise InputError("keys.no-name", "the key needs a name", where=str(path), hint="give it as FOLDER/NAME")
    private_path = path.with_name(path.name + PRIVATE_SUFFIX)
    public_path = path.with_name(path.name + PUBLIC_SUFFIX)
    private = Ed25519PrivateKey.generate() if kind == "ed25519" else X25519PrivateKey.generate()
    public = private.public_key()
    secret = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )
    shown = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    _write_new(private_path, secret, 0o600)
    try:
        _write_new(public_path, shown, 0o644)
    except BaseException:
        private_path.unlink(missing_ok=True)
        raise
    return KeyFiles(kind, private_path, public_path, fingerprint(public))


def load_signer(path: Path, passphrase: bytes) -> Ed25519PrivateKey:
    """The Ed25519 key that signs images and attestations. Raises as `load_recipient` does."""
    return _load_private(path, passphrase, SIGNER)


def load_recipient(path: Path, passphrase: bytes) -> X25519PrivateKey:
    """The X25519 private key of a device, to open an image with.

    Raises:
        InputError: `keys.not-found`, `keys.unreadable`, `keys.readable-by-others`, `keys.not-pem`,
            `keys.public-where-private`, `keys.no-passphrase`, `keys.wrong-passphrase`, `keys.damaged` or
            `keys.wrong-kind`.
    """
    return _load_private(path, passphrase, RECIPIENT)


def check_private_file(path: Path) -> None:
    """Check that a file holds a private key that nobody else may read, without opening the key.

    Raises:
        InputError: `keys.not-found`, `keys.unreadable`, `keys.not-pem`, `keys.readable-by-others` or
            `keys.public-where-private`.
    """
    if b"PRIVATE KEY-----" not in _read(path, private=True):
        raise _public_where_private(path, "a private key")


def load_signer_public(path: Path) -> Ed25519PublicKey:
    """The Ed25519 public key that signatures are checked with. Raises as `load_recipient_public` does."""
    return _load_public(path, SIGNER_PUBLIC)


def load_recipient_public(path: Path) -> X25519PublicKey:
    """The X25519 public key of the device that an image is encrypted for.

    Raises:
        InputError: `keys.not-found`, `keys.unreadable`, `keys.not-pem`, `keys.private-where-public`, `keys.damaged`,
            `keys.wrong-kind` or `keys.low-order`.
    """
    key = _load_public(path, RECIPIENT_PUBLIC)
    if is_low_order(key):
        raise InputError(
            "keys.low-order",
            "this X25519 public key gives everybody the same, all-zero secret: nothing encrypted for it is secret",
            where=str(path),
            hint="make a new pair with `audit keys new`",
        )
    return key


def load_any_public(path: Path) -> tuple[Ed25519PublicKey | X25519PublicKey, KeyKind]:
    """A public key of either kind, to be named and not used. Raises as `load_recipient_public` does."""
    key = _parse_public(path, "a public key")
    if isinstance(key, X25519PublicKey):
        return key, "x25519"
    return require_key(key, SIGNER_PUBLIC, where=str(path)), "ed25519"


def _check_passphrase(passphrase: bytes) -> None:
    if not passphrase:
        raise InputError("keys.passphrase-empty", "a private key needs a passphrase, and this one is empty")
    if len(passphrase) > _MAX_PASSPHRASE_BYTES:
        raise InputError(
            "keys.passphrase-too-long", f"the passphrase is longer than OpenSSL's {_MAX_PASSPHRASE_BYTES} bytes"
        )


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that must not exist yet; on a failure remove what there is of it."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise InputError(
            "keys.exists", "a key is never overwritten", where=str(path), hint="choose another name"
        ) from None
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            "keys.no-folder", "the folder for the key does not exist", where=str(path.parent), hint="make it first"
        ) from None
    except OSError as error:
        raise ToolError(
            "keys.write-failed", f"the key could not be written: {error.strerror}", where=str(path)
        ) from None
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise ToolError(
            "keys.write-failed", f"the key could not be written: {error.strerror}", where=str(path)
        ) from None


def _load_private(path: Path, passphrase: bytes, wanted: KeyForm[Key]) -> Key:
    pem = _read(path, private=True)
    if b"PRIVATE KEY-----" not in pem:
        raise _public_where_private(path, wanted.name)
    try:
        key = serialization.load_pem_private_key(pem, passphrase)
    except TypeError:
        # Raised for a passphrase without encryption, and for encryption without a passphrase.
        raise _unprotected(path, encrypted=b"ENCRYPTED" in pem) from None
    except ValueError:
        raise InputError(
            "keys.wrong-passphrase",
            "the passphrase does not open this private key, or the file is damaged",
            where=str(path),
        ) from None
    except UnsupportedAlgorithm:
        raise _damaged(path) from None
    return require_key(key, wanted, where=str(path))


def _unprotected(path: Path, *, encrypted: bool) -> InputError:
    if encrypted:
        return InputError("keys.passphrase-empty", "this private key needs its passphrase", where=str(path))
    return InputError(
        "keys.no-passphrase",
        "this private key is not protected by a passphrase",
        where=str(path),
        hint="protect it first: openssl pkcs8 -topk8 -scrypt -in KEY -out NEW.key.pem",
    )


def _load_public(path: Path, wanted: KeyForm[Key]) -> Key:
    return require_key(_parse_public(path, wanted.name), wanted, where=str(path))


def _public_where_private(path: Path, wanted: str) -> InputError:
    return InputError(
        "keys.public-where-private",
        f"this is a public key, and {wanted} belongs here",
        where=str(path),
        hint=f"give the file that ends in {PRIVATE_SUFFIX}",
    )


def _parse_public(path: Path, wanted: str) -> object:
    pem = _read(path, private=False)
    if b"PRIVATE KEY-----" in pem:
        raise InputError(
            "keys.private-where-public",
            f"this is a private key, and {wanted} belongs here",
            where=str(path),
            hint=f"give the file that ends in {PUBLIC_SUFFIX}, and keep this one to yourself",
        )
    try:
        return serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise _damaged(path) from None


def _read(path: Path, *, private: bool) -> bytes:
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            pem = stream.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise InputError(
            "keys.not-found", "there is no such key file", where=str(path), hint="make one with `audit keys new`"
        ) from None
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else "its name holds a zero byte"
        raise InputError("keys.unreadable", f"the key file cannot be read: {what}", where=str(path)) from None
    if len(pem) > _MAX_FILE_BYTES or b"-----BEGIN " not in pem:
        raise InputError("keys.not-pem", "this is not a PEM key file", where=str(path))
    if private and b"PRIVATE KEY-----" in pem and mode & _OTHERS:
        raise InputError(
            "keys.readable-by-others",
            f"others than its owner may use this private key (mode {stat.S_IMODE(mode):04o})",
            where=str(path),
            hint=f"chmod 600 {path}",
        )
    return pem


def _damaged(path: Path) -> InputError:
    return InputError("keys.damaged", "the key in this file cannot be read", where=str(path))
