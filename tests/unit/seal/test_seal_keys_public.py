"""A public key has one encoding, and none that gives its secrets away is taken."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from key_samples import code_of

from audit_pipeline.seal.keys.forms import ANY_PUBLIC, AnyPublic, fingerprint, spki
from audit_pipeline.seal.keys.load import load_any_public, load_recipient_public, load_signer_public
from audit_pipeline.seal.keys.pem import PemBlock, write_pem
from audit_pipeline.seal.keys.public_key import LABEL, read_public, read_spki, write_public
from audit_pipeline.seal.keys.signer import signature_holds

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")


def public_file(folder: Path, der: bytes) -> Path:
    path = folder / "some.pub.pem"
    path.write_bytes(write_pem(PemBlock(LABEL, der)))
    return path


def on_edwards25519(encoded: bytes) -> tuple[int, int] | None:
    """Decode a point as RFC 8032 section 5.1.3 has it, but without the bound on y."""
    y, sign = int.from_bytes(encoded, "little") % 2**255 % P, encoded[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square:
        return None
    return (P - x if x % 2 != sign else x) % P, y


def plus(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    product = D * a[0] * b[0] * a[1] * b[1]
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + product, -1, P) % P
    return x, (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, P) % P


def low_order_keys() -> set[bytes]:
    """Every encoding of the eight points whose order divides eight: L times anything, and those unreduced."""
    order = 2**252 + 27742317777372353535851937790883648493
    points = set()
    for seed in range(60):
        point = on_edwards25519(bytes([seed, *range(30), 3]))
        if point is None:
            continue
        total, doubled, left = (0, 1), point, order
        while left:
            total = plus(total, doubled) if left & 1 else total
            doubled, left = plus(doubled, doubled), left >> 1
        points.add(total)
    assert len(points) == 8
    encodings = {(y | (x & 1) << 255).to_bytes(32, "little") for x, y in points}
    unreduced = {(y + P | sign << 255).to_bytes(32, "little") for _, y in points if y < 19 for sign in (0, 1)}
    return encodings | unreduced | {(y | 1 << 255).to_bytes(32, "little") for x, y in points if x == 0}


def test_a_public_file_of_ours_is_what_openssl_would_write(tmp_path: Path) -> None:
    for public in (Ed25519PrivateKey.generate().public_key(), ec.generate_private_key(ec.SECP256R1()).public_key()):
        written = write_public(public)
        info = serialization.PublicFormat.SubjectPublicKeyInfo
        assert written == public.public_bytes(serialization.Encoding.PEM, info)
        assert spki(read_public(written, ANY_PUBLIC, where="")) == spki(public)


@pytest.mark.parametrize("encoded", sorted(low_order_keys()), ids=bytes.hex)
def test_no_ed25519_key_of_low_order_is_taken(tmp_path: Path, encoded: bytes) -> None:
    path = public_file(tmp_path, ED25519_SPKI + encoded)
    for load in (load_signer_public, load_any_public):
        assert code_of(load, path) in {"keys.low-order", "keys.not-canonical"}


def test_with_a_key_of_low_order_anybody_signs_anything() -> None:
    """Why they are refused: R = identity, S = 0 is a signature of the identity over every message."""
    identity = (1).to_bytes(32, "little")
    assert signature_holds(Ed25519PublicKey.from_public_bytes(identity), identity + bytes(32), b"any message at all")


@pytest.mark.parametrize(
    "u", [0, 1, P - 1, 325606250916557431795983626356110631294008115727848805560023387167927233504]
)
def test_a_recipient_of_low_order_is_refused(tmp_path: Path, u: int) -> None:
    path = public_file(tmp_path, spki(X25519PublicKey.from_public_bytes(u.to_bytes(32, "little"))))
    for load in (load_recipient_public, load_any_public):
        assert code_of(load, path) == "keys.low-order"


@pytest.mark.parametrize("u", [P + 9, 9 | 1 << 255])
def test_a_second_encoding_of_an_x25519_key_is_refused(tmp_path: Path, u: int) -> None:
    path = public_file(tmp_path, spki(X25519PublicKey.from_public_bytes(u.to_bytes(32, "little"))))
    assert code_of(load_recipient_public, path) == "keys.not-canonical"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
@pytest.mark.parametrize("odd", ["-conv_form compressed", "-conv_form hybrid", "-param_enc explicit"])
def test_other_encodings_of_a_p256_key_are_refused_and_the_hint_mends_them(tmp_path: Path, odd: str) -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    plain, other, mended = tmp_path / "plain.pem", tmp_path / "other.pem", tmp_path / "mended.pem"
    plain.write_bytes(write_public(public))
    openssl(f"ec -pubin -in {plain} -pubout {odd} -out {other}")
    assert code_of(load_signer_public, other) == "keys.not-canonical"
    openssl(f"ec -pubin -in {other} -pubout -param_enc named_curve -conv_form uncompressed -out {mended}")
    assert fingerprint(load_signer_public(mended)) == fingerprint(public)


def openssl(arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], check=True, capture_output=True)


def test_a_point_beside_the_curve_is_refused(tmp_path: Path) -> None:
    der = bytearray(spki(ec.generate_private_key(ec.SECP256R1()).public_key()))
    der[-1] ^= 1
    assert code_of(load_signer_public, public_file(tmp_path, bytes(der))) == "keys.damaged"


@pytest.mark.parametrize("tail", [b"\0", b"\x05\0"])
def test_no_byte_follows_the_key(tail: bytes) -> None:
    public: AnyPublic = Ed25519PrivateKey.generate().public_key()
    code = code_of(read_spki, spki(public) + tail, ANY_PUBLIC, where="")
    assert code in {"keys.damaged", "keys.not-canonical"}


@pytest.mark.parametrize("label", ["CERTIFICATE", "EC PUBLIC KEY", "RSA PUBLIC KEY", "EC PARAMETERS"])
def test_a_block_of_another_label_is_no_public_key(label: str) -> None:
    der = spki(Ed25519PrivateKey.generate().public_key())
    assert code_of(read_public, write_pem(PemBlock(label, der)), ANY_PUBLIC, where="") == "keys.damaged"
