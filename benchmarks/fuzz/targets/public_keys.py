"""Public key files: of every kind that is taken, of kinds that are not, and of encodings that OpenSSL takes too."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa, x448
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit_pipeline.seal.keys.forms import spki
from audit_pipeline.seal.keys.load import load_any_public, load_recipient_public, load_signer_public
from benchmarks.fuzz.codes import codes_of
from benchmarks.fuzz.key_edits import edit_key, element, pem
from benchmarks.fuzz.samples import ed25519, p256, x25519
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.watch import Watch, require

_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_A, _B = _P - 3, 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_G = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"  # noqa: E501
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_EC, _NAMED, _PRIME_FIELD = (bytes.fromhex(text) for text in ("2a8648ce3d0201", "2a8648ce3d030107", "2a8648ce3d0101"))
_ED25519, _X25519 = bytes.fromhex("2b6570"), bytes.fromhex("2b656e")
_SEQUENCE, _INTEGER, _BITS, _OCTETS, _OID = 0x30, 0x02, 0x03, 0x04, 0x06


def target() -> Target:
    """A file that is taken holds exactly the key that would be written again."""
    curves = ec.SECP256K1(), ec.SECP384R1(), ec.BrainpoolP256R1()
    keys: list[Any] = [ed25519("public"), p256("public"), x25519("public"), *map(ec.generate_private_key, curves)]
    keys += [ed448.Ed448PrivateKey.generate(), x448.X448PrivateKey.generate()]
    keys += [rsa.generate_private_key(65537, 1024), dsa.generate_private_key(1024)]
    samples = [key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for key in keys]
    return Target((*samples, *_odd_samples()), edit_key, _judge, codes_of(["keys.public_key", "keys.pem"]))


def _odd_samples() -> tuple[bytes, ...]:
    """Keys that mean something to OpenSSL and must not be taken: other encodings, and points that hide nothing."""
    public = p256("public").public_key()
    compressed = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    uncompressed = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    field = element(_SEQUENCE, element(_OID, _PRIME_FIELD) + _number(_P))
    curve = element(_SEQUENCE, element(_OCTETS, _A.to_bytes(32, "big")) + element(_OCTETS, _B.to_bytes(32, "big")))
    explicit = element(
        _SEQUENCE, _number(1) + field + curve + element(_OCTETS, bytes.fromhex(_G)) + _number(_N) + _number(1)
    )
    named = element(_OID, _NAMED)
    weak = (bytes(32), b"\1" + bytes(31), (2**255 - 19).to_bytes(32, "little"), b"\xff" * 32)
    return (
        *(_spki(element(_OID, _EC) + named, point) for point in (compressed, uncompressed, b"\0")),
        _spki(element(_OID, _EC) + explicit, uncompressed),
        *(_spki(element(_OID, kind), point) for kind in (_ED25519, _X25519) for point in weak),
        *(pem(label, bytes(48)) for label in (b"AUDIT PRIVATE KEY", b"PRIVATE KEY", b"CERTIFICATE")),
    )


def _number(value: int) -> bytes:
    return element(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _spki(algorithm: bytes, point: bytes) -> bytes:
    return pem(b"PUBLIC KEY", element(_SEQUENCE, element(_SEQUENCE, algorithm) + element(_BITS, b"\0" + point)))


@cache
def _file() -> Path:
    return Path(tempfile.mkdtemp(prefix="audit-fuzz-"), "key.pem")


def _judge(watch: Watch, data: bytes) -> None:
    path = _file()
    path.write_bytes(data)
    path.chmod(0o600)
    watch.ask(lambda: load_signer_public(path))
    watch.ask(lambda: load_recipient_public(path))
    found = watch.ask(lambda: load_any_public(path))
    if found is not None:
        written = pem(b"PUBLIC KEY", spki(found[0]))
        require(b"".join(data.split()) == b"".join(written.split()), "one key is taken from files of two texts")
