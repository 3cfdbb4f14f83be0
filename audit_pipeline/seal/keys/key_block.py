"""The block that a private key is kept in: PKCS#8 under AES-256-GCM, whose key scrypt makes of the passphrase.

    offset  bytes  field
         0      1  version of this block, 1
         1      1  log2 of scrypt's N (RFC 7914), 17 where written here: 128 MiB and a third of a second a guess
         2      1  scrypt's r, 8
         3      1  scrypt's p, 1
         4     16  salt
        20     12  nonce of AES-256-GCM (SP 800-38D)
        32      n  PKCS#8 in DER, encrypted
      32+n     16  tag

The first 32 bytes are authenticated with the rest. What scrypt may cost is known before it runs, so a file cannot ask
for more time or memory than a good one takes.
"""

from __future__ import annotations

import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from audit_pipeline.errors import InputError, ToolError

LABEL = "AUDIT PRIVATE KEY"
LOG2_N = 17
"""OWASP's first choice for scrypt: N = 2^17, r = 8, p = 1."""

_LEAST_LOG2_N = 14
_VERSION = 1
_R = 8
_P = 1
_HEADER = struct.Struct(">BBBB16s12s")
_SALT_BYTES = 16
_NONCE_BYTES = 12
_TAG_BYTES = 16
_KEY_BYTES = 32


def protect(pkcs8: bytes, passphrase: bytes, *, log2_n: int = LOG2_N) -> bytes:
    """Encrypt a private key, with salt and nonce from the system's random numbers.

    Args:
        pkcs8: the key, DER.
        passphrase: its bytes as they are; checked by the caller.
        log2_n: what a guess costs; only tests ask for less.
    """
    header = _HEADER.pack(_VERSION, log2_n, _R, _P, os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES))
    cipher, nonce = _cipher(header, passphrase)
    return header + cipher.encrypt(nonce, pkcs8, header)


def reveal(block: bytes, passphrase: bytes, *, where: str) -> bytes:
    """The PKCS#8 DER in a block.

    Raises:
        InputError: `keys.damaged`, `keys.version`, `keys.cost` or `keys.wrong-passphrase`.
        ToolError: `keys.no-memory`.
    """
    check_header(block, where=where)
    header, encrypted = block[: _HEADER.size], block[_HEADER.size :]
    try:
        cipher, nonce = _cipher(header, passphrase)
    except MemoryError:
        raise ToolError("keys.no-memory", "there is no memory to open this private key", where=where) from None
    try:
        return cipher.decrypt(nonce, encrypted, header)
    except InvalidTag:
        raise wrong_passphrase(where) from None


def check_header(block: bytes, *, where: str) -> None:
    """Check all of a block that can be checked without its passphrase.

    Raises:
        InputError: `keys.damaged`, `keys.version` or `keys.cost`.
    """
    if len(block) <= _HEADER.size + _TAG_BYTES:
        raise InputError("keys.damaged", "this private key is cut short", where=where)
    version, log2_n, r, p, _, _ = _HEADER.unpack_from(block)
    if version != _VERSION:
        raise InputError(
            "keys.version",
            f"this private key is in form {version}, and only form {_VERSION} is known",
            where=where,
            hint="use the audit that made it, or a newer one",
        )
    if not _LEAST_LOG2_N <= log2_n <= LOG2_N or (r, p) != (_R, _P):
        raise cost_refused(f"scrypt with N = 2^{log2_n}, r = {r}, p = {p}", where)


def wrong_passphrase(where: str) -> InputError:
    """The error for a tag or a padding that does not fit: the passphrase or the file, nobody can tell which."""
    return InputError(
        "keys.wrong-passphrase",
        "the passphrase does not open this private key, or the file is damaged",
        where=where,
        hint="try again; where AUDIT_PASSPHRASE is set, it is taken for every key and nobody is asked",
    )


def cost_refused(what: str, where: str) -> InputError:
    """The error for a key file that asks for too much time and memory, or for too little to protect anything."""
    return InputError("keys.cost", f"this private key asks for {what}, which is out of bounds", where=where)


def _cipher(header: bytes, passphrase: bytes) -> tuple[AESGCM, bytes]:
    _, log2_n, r, p, salt, nonce = _HEADER.unpack(header)
    return AESGCM(Scrypt(salt, _KEY_BYTES, n=2**log2_n, r=r, p=p).derive(passphrase)), nonce
