"""Private key files: blocks of our own form, and PKCS#8 as OpenSSL keeps it with PBKDF2 and with scrypt.

scrypt takes 40 ms at least in a block that is read, which would be all that a million inputs tell of. So in this
process a hash stands in its place for all but one in 256 salts: what is before and after it is the project's own.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from audit_pipeline.seal.keys import key_block
from audit_pipeline.seal.keys.forms import spki
from audit_pipeline.seal.keys.load import check_private_file, load_recipient, load_signer
from benchmarks.fuzz.codes import codes_of
from benchmarks.fuzz.key_edits import edit_der, edit_key, element, pem
from benchmarks.fuzz.samples import ed25519, p256, x25519
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.watch import Watch, require

_PASSPHRASE, _FORGERS = b"the maker's", b"the forger's"
_LEAST_LOG2_N = 14
_PBES2, _SCRYPT, _AES256_CBC = (
    bytes.fromhex(text) for text in ("2a864886f70d01050d", "2b06010401da47040b", "60864801650304012a")
)
_SEQUENCE, _INTEGER, _OCTETS, _OID = 0x30, 0x02, 0x04, 0x06
_LABEL = key_block.LABEL.encode()


class _Hashed:
    """In scrypt's place: the same arguments, a key that depends on all of them."""

    def __init__(self, salt: bytes, length: int, n: int, r: int, p: int) -> None:
        self._real = Scrypt(salt, length, n, r, p) if salt[0] == 0 else None
        self._told = b"%b%d,%d,%d,%d" % (salt, length, n, r, p)

    def derive(self, passphrase: bytes) -> bytes:
        """The key."""
        return self._real.derive(passphrase) if self._real else hashlib.sha256(self._told + passphrase).digest()


def target() -> Target:
    """A block that is taken holds a key that its maker put there."""
    vars(key_block)["Scrypt"] = _Hashed
    kept = [pem(_LABEL, key_block.protect(der, _PASSPHRASE, log2_n=_LEAST_LOG2_N)) for der in _pkcs8()]
    openssl = [
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(_PASSPHRASE)) for key in _keys()
    ]
    others = [
        *(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for key in _keys()),
        p256("private").private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        ed25519("private").private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
        pem(b"PUBLIC KEY", spki(ed25519("private").public_key())),
    ]
    wrapped = [pem(b"ENCRYPTED PRIVATE KEY", under_scrypt(der)) for der in _pkcs8()]
    return Target((*kept, *kept, *openssl, *wrapped, *others), _alter, _judge, _codes())


def _codes() -> frozenset[str]:
    beyond = {
        "keys.no-memory",  # of the machine
        "keys.private-where-public",  # of public keys
        "keys.passphrase-empty",  # of the passphrase
        "keys.passphrase-too-long",
        "keys.no-name",  # of a file that is written
    }
    return codes_of(["keys.load", "keys.key_block", "keys.pkcs8", "keys.pem"]) - beyond


def _keys() -> tuple[Any, ...]:
    strangers = (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 1024))
    return ed25519("private"), p256("private"), x25519("private"), *strangers


@cache
def _pkcs8() -> tuple[bytes, ...]:
    return tuple(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()) for key in _keys())


@cache
def _own() -> frozenset[bytes]:
    """Public halves of the keys that are in genuine files."""
    return frozenset(spki(key.public_key()) for key in _keys()[:3])


def under_scrypt(der: bytes, r: int = 8) -> bytes:
    """What `openssl pkcs8 -topk8 -scrypt -scrypt_N 16` writes (RFC 7914 section 7.1), in DER."""
    salt, vector = b"salt" * 4, b"vector" + bytes(10)
    key = hashlib.scrypt(_PASSPHRASE, salt=salt, n=16, r=r, p=1, dklen=32)
    padding = 16 - len(der) % 16
    cipher = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    numbers = b"".join(element(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big")) for number in (16, r, 1))
    derivation = element(_SEQUENCE, element(_OID, _SCRYPT) + element(_SEQUENCE, element(_OCTETS, salt) + numbers))
    encryption = element(_SEQUENCE, element(_OID, _AES256_CBC) + element(_OCTETS, vector))
    scheme = element(_SEQUENCE, element(_OID, _PBES2) + element(_SEQUENCE, derivation + encryption))
    secret = cipher.update(der + bytes([padding]) * padding) + cipher.finalize()
    return element(_SEQUENCE, scheme + element(_OCTETS, secret))


def _alter(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    match draw.randrange(6):
        case 0 | 1:
            # A forger who knows the form, under a passphrase of their own: the key inside is what is altered.
            der = edit_der(draw, draw.choice(_pkcs8()))
            return pem(_LABEL, key_block.protect(der, _FORGERS, log2_n=_LEAST_LOG2_N))
        case 2:
            block = bytearray(key_block.protect(draw.choice(_pkcs8()), _PASSPHRASE, log2_n=_LEAST_LOG2_N))
            block[draw.randrange(4)] = draw.randrange(256)
            return pem(_LABEL, bytes(block[: draw.choice((len(block), len(block), 48, 49, 32))]))
    return edit_key(draw, data, others)


@cache
def _file() -> Path:
    return Path(tempfile.mkdtemp(prefix="audit-fuzz-"), "key.pem")


def _judge(watch: Watch, data: bytes) -> None:
    path = _file()
    path.write_bytes(data)
    path.chmod(0o644 if len(data) % 97 == 0 else 0o600)
    watch.ask(lambda: check_private_file(path))
    signer = watch.ask(lambda: load_signer(path, _PASSPHRASE))
    # The older form, CBC without authentication, cannot tell an altered key from another one.
    if signer is not None and _LABEL in data:
        require(spki(signer.public) in _own(), "an altered block opens with the maker's passphrase")
    watch.ask(lambda: load_recipient(path, _FORGERS))
