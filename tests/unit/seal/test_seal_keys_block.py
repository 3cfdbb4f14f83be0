"""The block a private key is kept in, byte by byte, and what a file may cost whoever opens it."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from key_samples import CHEAP, PASSPHRASE, code_of, private_file

from audit_pipeline.errors import InputError
from audit_pipeline.seal.keys import key_block, pkcs8
from audit_pipeline.seal.keys.forms import spki
from audit_pipeline.seal.keys.load import check_private_file, load_signer
from audit_pipeline.seal.keys.pem import PemBlock, read_pem, write_pem

PRIVATE = Ed25519PrivateKey.generate()
PKCS8 = PRIVATE.private_bytes(
    serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)


@pytest.fixture(scope="module")
def block() -> bytes:
    return key_block.protect(PKCS8, PASSPHRASE, log2_n=CHEAP)


@pytest.fixture(scope="module")
def encrypted() -> bytes:
    """EncryptedPrivateKeyInfo as cryptography makes it: PBES2, PBKDF2 with 2,048 rounds."""
    return PRIVATE.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(PASSPHRASE),
    )


def test_the_block_opens_by_its_description_alone(block: bytes) -> None:
    version, log2_n, r, p, salt, nonce = *block[:4], block[4:20], block[20:32]
    assert (version, log2_n, r, p) == (1, CHEAP, 8, 1)
    key = hashlib.scrypt(PASSPHRASE, salt=salt, n=2**log2_n, r=r, p=p, maxmem=2**26, dklen=32)
    assert AESGCM(key).decrypt(nonce, block[32:], block[:32]) == PKCS8


def test_what_was_protected_is_revealed(block: bytes) -> None:
    assert key_block.reveal(block, PASSPHRASE, where="") == PKCS8


@pytest.mark.parametrize("offset", [4, 19, 20, 31, 32, 40, -17, -16, -1])
def test_no_bit_of_salt_nonce_key_or_tag_can_be_altered(block: bytes, offset: int) -> None:
    altered = bytearray(block)
    altered[offset] ^= 1
    assert code_of(key_block.reveal, bytes(altered), PASSPHRASE, where="") == "keys.wrong-passphrase"


def test_a_cheaper_guess_cannot_be_written_into_a_block(block: bytes) -> None:
    altered = bytes([1, CHEAP + 1]) + block[2:]
    assert code_of(key_block.reveal, altered, PASSPHRASE, where="") == "keys.wrong-passphrase"


@pytest.mark.parametrize("length", [0, 1, 31, 32, 48])
def test_a_block_that_is_cut_short_is_damaged(block: bytes, length: int) -> None:
    assert code_of(key_block.reveal, block[:length], PASSPHRASE, where="") == "keys.damaged"


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_named(tmp_path: Path, block: bytes, version: int) -> None:
    path = private_file(tmp_path / "new.key.pem", key_block.LABEL, bytes([version]) + block[1:])
    assert code_of(check_private_file, path) == "keys.version"


@pytest.mark.parametrize(
    "cost",
    [(0, 8, 1), (13, 8, 1), (18, 8, 1), (63, 8, 1), (255, 8, 1), (17, 255, 1), (17, 1, 1), (17, 8, 255), (14, 8, 0)],
)
def test_costs_out_of_bounds_are_refused_at_once(tmp_path: Path, block: bytes, cost: tuple[int, int, int]) -> None:
    path = private_file(tmp_path / "dear.key.pem", key_block.LABEL, bytes([1, *cost]) + block[4:])
    before = time.perf_counter()
    assert code_of(load_signer, path, PASSPHRASE) == "keys.cost"
    assert code_of(check_private_file, path) == "keys.cost"
    assert time.perf_counter() - before < 1


def test_no_memory_for_a_guess_is_no_defect(block: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(key_block, "Scrypt", none_left)
    assert code_of(key_block.reveal, block, PASSPHRASE, where="") == "keys.no-memory"


def test_what_is_no_key_under_the_right_passphrase_is_damaged(tmp_path: Path) -> None:
    content = key_block.protect(b"no PKCS#8 at all", PASSPHRASE, log2_n=CHEAP)
    path = private_file(tmp_path / "odd.key.pem", key_block.LABEL, content)
    assert code_of(load_signer, path, PASSPHRASE) == "keys.damaged"


PBKDF2_ROUNDS = b"\x02\x02" + (2048).to_bytes(2, "big")


@pytest.mark.parametrize("rounds", [b"\x7f\xff", b"\x00\x01"])
def test_rounds_within_bounds_are_tried(encrypted: bytes, rounds: bytes) -> None:
    assert encrypted.count(PBKDF2_ROUNDS) == 1
    pkcs8.check_cost(encrypted.replace(PBKDF2_ROUNDS, b"\x02\x02" + rounds), where="")


def grown(der: bytes, old: bytes, new: bytes) -> bytes:
    """Put other parameters into an EncryptedPrivateKeyInfo: every SEQUENCE around them grows."""
    at, extra = der.index(old), len(new) - len(old)
    altered = bytearray(der.replace(old, new))
    offset = 0
    while offset < at:
        length, head = altered[offset + 1], 2
        if length & 0x80:
            head += length & 0x7F
            length = int.from_bytes(der[offset + 2 : offset + head], "big")
        end = offset + head + length
        if offset < at < end:
            altered[offset + head - 1] += extra
            offset += head
        else:
            offset = end
    return bytes(altered)


@pytest.mark.parametrize("rounds", [0, 1_000_001, 2**31 - 1, 2**32, 2**64 - 1, 2**200])
def test_hours_of_pbkdf2_are_refused_at_once(tmp_path: Path, encrypted: bytes, rounds: int) -> None:
    size = rounds.bit_length() // 8 + 1
    der = grown(encrypted, PBKDF2_ROUNDS, bytes([2, size]) + rounds.to_bytes(size, "big"))
    path = private_file(tmp_path / "dear.key.pem", pkcs8.LABEL, der)
    before = time.perf_counter()
    assert code_of(load_signer, path, PASSPHRASE) == "keys.cost"
    assert time.perf_counter() - before < 1


def scrypt_file(n: int, r: int, p: int) -> bytes:
    """EncryptedPrivateKeyInfo with scrypt's parameters (RFC 7914 section 7) and nothing sensible behind them."""

    def der(tag: int, *parts: bytes) -> bytes:
        content = b"".join(parts)
        return bytes([tag, len(content)]) + content

    def number(value: int) -> bytes:
        return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))

    parameters = der(0x30, der(4, b"salt" * 4), number(n), number(r), number(p))
    kdf = der(0x30, der(6, bytes.fromhex("2b06010401da47040b")), parameters)
    cipher = der(0x30, der(6, bytes.fromhex("60864801650304012a")), der(4, bytes(16)))
    pbes2 = der(0x30, der(6, bytes.fromhex("2a864886f70d01050d")), der(0x30, kdf, cipher))
    return der(0x30, pbes2, der(4, bytes(16)))


@pytest.mark.parametrize(
    ("cost", "code"),
    [
        ((2**14, 8, 1), "keys.wrong-passphrase"),
        ((2**40, 8, 1), "keys.cost"),
        ((2**14, 2**20, 1), "keys.cost"),
        ((2**14, 8, 2**20), "keys.cost"),
        ((2**17, 8, 2), "keys.cost"),
        ((0, 8, 1), "keys.cost"),
    ],
)
def test_terabytes_of_scrypt_are_refused_at_once(tmp_path: Path, cost: tuple[int, int, int], code: str) -> None:
    path = private_file(tmp_path / "dear.key.pem", pkcs8.LABEL, scrypt_file(*cost))
    before = time.perf_counter()
    assert code_of(load_signer, path, PASSPHRASE) == code
    assert time.perf_counter() - before < 1


@given(st.binary(max_size=80))
def test_no_der_makes_the_cost_unreadable_in_another_way(der: bytes) -> None:
    with pytest.raises(InputError):
        pkcs8.load_encrypted(der, PASSPHRASE, where="")


def test_old_password_schemes_are_not_taken(tmp_path: Path, encrypted: bytes) -> None:
    pbes2, with_md5_and_des = bytes.fromhex("2a864886f70d01050d"), bytes.fromhex("2a864886f70d010503")
    path = private_file(tmp_path / "old.key.pem", pkcs8.LABEL, encrypted.replace(pbes2, with_md5_and_des))
    assert code_of(load_signer, path, PASSPHRASE) == "keys.damaged"


def test_files_of_before_still_open(tmp_path: Path, encrypted: bytes) -> None:
    path = private_file(tmp_path / "old.key.pem", pkcs8.LABEL, encrypted)
    assert spki(load_signer(path, PASSPHRASE).public) == spki(PRIVATE.public_key())


PEM = write_pem(PemBlock("PUBLIC KEY", spki(generate_private_key(SECP256R1()).public_key())))


def test_lines_may_end_as_windows_ends_them_and_the_last_end_may_be_missing() -> None:
    plain = read_pem(PEM, where="")
    assert read_pem(PEM.replace(b"\n", b"\r\n"), where="") == plain
    assert read_pem(PEM.rstrip(), where="") == plain


@pytest.mark.parametrize(
    "odd",
    [
        b"",
        b"\n" + PEM,
        b"# whose it is\n" + PEM,
        PEM + b"\n",
        PEM + b"\0",
        PEM + PEM,
        PEM.replace(b"BEGIN PUBLIC", b"BEGIN OTHER"),
        PEM.replace(b"-----\n", b"-----\nComment: x\n\n", 1),
        PEM.replace(b"\nM", b"\n M", 1),
        PEM.replace(b"=", b"", 1),
        b"\xef\xbb\xbf" + PEM,
        b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN PUBLIC KEY-----\nAB==\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN PUBLIC KEY-----\n=\n-----END PUBLIC KEY-----\n",
    ],
)
def test_a_pem_file_is_one_block_in_canonical_base64_and_nothing_more(odd: bytes) -> None:
    assert code_of(read_pem, odd, where="") == "keys.not-pem"


@given(st.binary(min_size=1, max_size=200))
def test_a_block_comes_back_as_it_was_written(content: bytes) -> None:
    written = PemBlock("AUDIT PRIVATE KEY", content)
    assert read_pem(write_pem(written), where="") == written
