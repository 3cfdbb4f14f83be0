"""Make and load keys: Ed25519 and P-256 sign images and attestations, X25519 and P-256 are what images are sealed for.

A key pair is two PEM files: `NAME.key.pem`, the private key under a passphrase (`key_block`), mode 0600, and
`NAME.pub.pem`, its SubjectPublicKeyInfo. A private key that OpenSSL keeps under a passphrase loads too (`pkcs8`), and
a signer may live in a PKCS#11 token (`pkcs11`).

No message here ever repeats a byte of a key or of a passphrase.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit_pipeline.errors import InputError
from audit_pipeline.seal.keys import key_block, pkcs8, public_key
from audit_pipeline.seal.keys.forms import (
    ANY_PRIVATE,
    ANY_PUBLIC,
    RECIPIENT,
    RECIPIENT_PUBLIC,
    SIGNER,
    SIGNER_PUBLIC,
    AnyPublic,
    Key,
    KeyForm,
    KeyKind,
    RecipientPrivate,
    RecipientPublic,
    SignerPrivate,
    SignerPublic,
    fingerprint,
    kind_of,
    require_key,
)
from audit_pipeline.seal.keys.key_file import PRIVATE_MODE, PUBLIC_MODE, NewFile, read_key_file, write_new
from audit_pipeline.seal.keys.pem import PemBlock, read_pem, write_pem
from audit_pipeline.seal.keys.pkcs11 import check_token_uri, load_token_signer
from audit_pipeline.seal.keys.pkcs11_uri import is_token_uri
from audit_pipeline.seal.keys.signer import Signer

__all__ = [
    "KeyFiles",
    "KeyKind",
    "check_private_file",
    "fingerprint",
    "load_any_private",
    "load_any_public",
    "load_recipient",
    "load_recipient_public",
    "load_signer",
    "load_signer_public",
    "new_key",
]

PRIVATE_SUFFIX = ".key.pem"
PUBLIC_SUFFIX = ".pub.pem"

_MAX_PASSPHRASE_BYTES = 1023
"""OpenSSL's own limit, kept so that a passphrase serves either form of file."""

_MAKERS: Mapping[KeyKind, Callable[[], SignerPrivate | RecipientPrivate]] = {
    "ed25519": Ed25519PrivateKey.generate,
    "p256": lambda: generate_private_key(SECP256R1()),
    "x25519": X25519PrivateKey.generate,
}


@dataclass(frozen=True)
class KeyFiles:
    """A key pair that was just written."""

    kind: KeyKind
    private: Path
    public: Path
    fingerprint: str


def new_key(kind: KeyKind, path: Path, passphrase: bytes, *, log2_n: int = key_block.LOG2_N) -> KeyFiles:
    """Make a key pair from the system's random numbers.

    Args:
        kind: `ed25519` to sign, `x25519` to be encrypted for, `p256` for either, and never both.
        path: folder and name; `.key.pem` and `.pub.pem` are put after the name.
        passphrase: protects the private key; 1 to 1,023 bytes.
        log2_n: what a guess at the passphrase costs (see `key_block`); only tests ask for less.

    Raises:
        InputError: `keys.passphrase-empty`, `keys.passphrase-too-long`, `keys.no-name`, `keys.exists`
            (nothing is ever overwritten), `keys.no-folder` or `keys.no-place`.
        ToolError: `keys.write-failed`; neither file is left behind.
    """
    _check_passphrase(passphrase)
    if not path.name:
        raise InputError("keys.no-name", "the key needs a name", where=str(path), hint="give it as FOLDER/NAME")
    private_path = path.with_name(path.name + PRIVATE_SUFFIX)
    public_path = path.with_name(path.name + PUBLIC_SUFFIX)
    private = _MAKERS[kind]()
    public = private.public_key()
    pkcs8_der = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    block = PemBlock(key_block.LABEL, key_block.protect(pkcs8_der, passphrase, log2_n=log2_n))
    write_new(
        NewFile(private_path, write_pem(block), PRIVATE_MODE),
        NewFile(public_path, public_key.write_public(public), PUBLIC_MODE),
    )
    return KeyFiles(kind, private_path, public_path, fingerprint(public))


def load_signer(source: Path | str, passphrase: bytes) -> Signer:
    """Whoever signs images and attestations: the key in a file, or one in a token.

    Args:
        source: a private key file, or a `pkcs11:` URI (RFC 7512; see `pkcs11`).
        passphrase: of the file, or the token's PIN.

    Raises:
        InputError: as `load_recipient`, or `signer.*` where a token cannot be used.
    """
    if is_token_uri(source):
        _check_passphrase(passphrase)
        return load_token_signer(str(source), passphrase)
    return Signer.of(_load_private(Path(source), passphrase, SIGNER))


def load_recipient(path: Path, passphrase: bytes) -> RecipientPrivate:
    """The private key of a device, to open an image with.

    Raises:
        InputError: `keys.not-found`, `keys.unreadable`, `keys.readable-by-others`, `keys.not-pem`,
            `keys.public-where-private`, `keys.no-passphrase`, `keys.passphrase-empty`, `keys.wrong-passphrase`,
            `keys.damaged`, `keys.version`, `keys.cost` or `keys.wrong-kind`.
        ToolError: `keys.no-memory`.
    """
    return _load_private(path, passphrase, RECIPIENT)


def load_any_private(path: Path, passphrase: bytes) -> SignerPrivate | RecipientPrivate:
    """A private key of any kind, to be given to another tool. Raises as `load_recipient` does."""
    return _load_private(path, passphrase, ANY_PRIVATE)


def check_private_file(source: Path | str, wanted: KeyForm[Any] = SIGNER) -> None:
    """Check all that can be checked of a private key without its passphrase, or of a token's key without its PIN.

    Args:
        source: as for `load_signer`.
        wanted: what the key is for, as far as a message says so; the file's outside does not show it.

    Raises:
        InputError: as `load_signer`, but for what only the passphrase or the token shows.
    """
    if is_token_uri(source):
        check_token_uri(str(source))
    else:
        _read_private(Path(source), wanted)


def load_signer_public(path: Path) -> SignerPublic:
    """The public key that signatures are checked with. Raises as `load_recipient_public` does."""
    return _load_public(path, SIGNER_PUBLIC)


def load_recipient_public(path: Path) -> RecipientPublic:
    """The public key of the device that an image is encrypted for.

    Raises:
        InputError: `keys.not-found`, `keys.unreadable`, `keys.readable-by-others`, `keys.not-pem`,
            `keys.private-where-public`, `keys.damaged`, `keys.wrong-kind`, `keys.not-canonical` or `keys.low-order`.
    """
    return _load_public(path, RECIPIENT_PUBLIC)


def load_any_public(path: Path) -> tuple[AnyPublic, KeyKind]:
    """A public key of any kind, to be named and not used. Raises as `load_recipient_public` does."""
    key = _load_public(path, ANY_PUBLIC)
    return key, kind_of(key)


def _check_passphrase(passphrase: bytes) -> None:
    if not passphrase:
        raise InputError("keys.passphrase-empty", "a private key needs a passphrase, and this one is empty")
    if len(passphrase) > _MAX_PASSPHRASE_BYTES:
        raise InputError("keys.passphrase-too-long", f"the passphrase is longer than {_MAX_PASSPHRASE_BYTES} bytes")


def _load_public(path: Path, wanted: KeyForm[Key]) -> Key:
    return public_key.read_public(read_key_file(path, missing=wanted.missing), wanted, where=str(path))


def _load_private(path: Path, passphrase: bytes, wanted: KeyForm[Key]) -> Key:
    where = str(path)
    block = _read_private(path, wanted)
    _check_passphrase(passphrase)
    if block.label == key_block.LABEL:
        key = pkcs8.load_plain(key_block.reveal(block.content, passphrase, where=where), where=where)
    else:
        key = pkcs8.load_encrypted(block.content, passphrase, where=where)
    return require_key(key, wanted, where=where)


def _read_private(path: Path, wanted: KeyForm[Key]) -> PemBlock:
    """The block of a private key file, whose form and cost were checked."""
    where = str(path)
    block = read_pem(read_key_file(path, missing=wanted.missing), where=where)
    if block.label == key_block.LABEL:
        key_block.check_header(block.content, where=where)
    elif block.label == pkcs8.LABEL:
        pkcs8.check_cost(block.content, where=where)
    elif block.label.endswith("PRIVATE KEY"):
        raise InputError(
            "keys.no-passphrase",
            "this private key is not protected by a passphrase in a form that holds",
            where=where,
            hint="protect it first: openssl pkcs8 -topk8 -scrypt -in KEY -out NEW.key.pem",
        )
    else:
        raise InputError(
            "keys.public-where-private",
            f"this is a public key, and {wanted.name} belongs here",
            where=where,
            hint=f"give the file that ends in {PRIVATE_SUFFIX}",
        )
    return block
