"""The search of other files than the device's model: Keras files and firmware, with the part named."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from audit_pipeline.data.population import Split
from audit_pipeline.errors import InputError
from audit_pipeline.privacy.blob_scan import scan_bytes, scan_file, together
from audit_pipeline.privacy_part import BlobHit

MAIL = b"dora.evans@clinic.example"


def told(data: bytes, train: Split | None = None) -> list[tuple[str, str, int]]:
    return [(hit.kind, hit.where, hit.offset) for hit in scan_bytes("f", data, train).hits]


def training(rows: int = 200, shape: tuple[int, ...] = (64,)) -> Split:
    x = np.random.default_rng(8).normal(0, 1, (rows, *shape)).astype(np.float32)
    return Split(x, np.zeros(rows, dtype=np.int64), {}, None)


def h5(**attributes: str) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential"})
        file["dense/kernel:0"] = np.random.default_rng(1).normal(size=(80, 9)).astype(np.float32)
        file["dense"].attrs.update(attributes)
    return stream.getvalue()


def keras(comment: bytes = b"", **members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", h5())
        for name, content in members.items():
            archive.writestr(name, content)
        archive.comment = comment
    return stream.getvalue()


def image(payload: bytes, flags: int = 0, tlv: bytes = b"", behind: bytes = b"") -> bytes:
    """An MCUboot image with one protected TLV, unsigned."""
    protected = struct.pack("<HHHH", 0x6908, 8 + len(tlv), 0xA0, len(tlv)) + tlv
    header = struct.pack("<IIHHIIBBHII", 0x96F3B83D, 0, 32, len(protected), len(payload), flags, 1, 0, 0, 0, 0)
    return header + payload + protected + struct.pack("<HH", 0x6907, 4) + behind


def test_clean_files_hold_nothing() -> None:
    assert told(h5()) == told(keras()) == told(image(bytes(300))) == []


def test_an_attribute_is_named() -> None:
    data = h5(note=f"ask {MAIL.decode()}")
    ((kind, where, offset),) = told(data)
    assert (kind, where) == ("e-mail", "f: attribute 'note' of '/dense'")
    assert data[offset : offset + len(MAIL)] == MAIL


def test_a_name_that_is_the_leak_is_not_repeated() -> None:
    stream = io.BytesIO(h5())
    with h5py.File(stream, "r+") as file:
        file.attrs[MAIL.decode()] = "x /home/alice/data.csv"
    for _, where, _ in told(stream.getvalue()):
        assert "dora" not in where


def test_packed_weights_are_unpacked() -> None:
    train = training()
    stream = io.BytesIO(h5())
    with h5py.File(stream, "r+") as file:
        file.create_dataset("cache", data=train.x[:9], chunks=(2, 64), compression="gzip")
    found = told(stream.getvalue(), train)
    assert ("training-row", "f: weights '/cache'", 0) in found


def test_members_and_the_comment_of_an_archive_are_searched() -> None:
    assert [(kind, where) for kind, where, _ in told(keras(**{"config.json": MAIL}))] == [
        ("e-mail", "f: 'config.json'")
    ]
    assert sorted({kind for kind, _, _ in told(keras(comment=MAIL))}) == ["e-mail", "trailing-bytes"]


def test_bytes_behind_every_format_are_found() -> None:
    for data in (h5(), keras(), image(bytes(300))):
        assert told(data + b"more bytes") == [("trailing-bytes", "f", len(data))]


def test_of_an_encrypted_image_all_but_the_payload_is_searched() -> None:
    secret = image(b"\0" + MAIL + b"\0", flags=4)
    assert told(secret) == []
    assert scan_bytes("f", secret).scanned_bytes == len(secret) - len(MAIL) - 2
    plain = image(b"\0" + MAIL + b"\0", tlv=MAIL)
    assert told(plain) == [("e-mail", "f: payload", 33), ("e-mail", "f: protected TLV 0xa0 (VERDICT)", 67)]


def test_wide_text_in_firmware_is_found() -> None:
    assert told(image(b"\7\0" + "C:\\Users\\carol\\train.csv".encode("utf-16-le")))[0][0] == "path"


@pytest.mark.parametrize("data", [b"", b"\x89HDF\r\n\x1a\n" + bytes(90), b"PK\x03\x04" + bytes(90), bytes(4) + b"TFL3"])
def test_damaged_files_are_searched_as_bytes(data: bytes) -> None:
    assert told(data) == []
    assert ("e-mail", "f") in [(kind, where) for kind, where, _ in told(data + b" " + MAIL)]


@pytest.mark.parametrize("cut", [9, 60, 200, 800])
def test_files_that_were_cut_short_raise_nothing(cut: int) -> None:
    for data in (h5(), keras(), image(bytes(300))):
        told(data[:cut])


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(h5(note=MAIL.decode()))
    assert [hit.where for hit in scan_file(path).hits] == ["model.h5: attribute 'note' of '/dense'"]
    with pytest.raises(InputError, match="cannot be read"):
        scan_file(tmp_path / "none.h5")
    with pytest.raises(InputError, match="cannot be read"):
        scan_file(tmp_path)


def test_several_files_are_told_together() -> None:
    one, two = scan_bytes("a", MAIL), scan_bytes("b", b" " + MAIL, training())
    both = together([one, two])
    assert [(hit.where, hit.offset) for hit in both.hits] == [("a", 0), ("b", 1)]
    assert (both.scanned_bytes, both.training_rows) == (51, 200)
    assert isinstance(both.hits[0], BlobHit)


def test_numbers_of_which_every_fourth_byte_is_a_slash_are_no_text(tmp_path: Path) -> None:
    """Adam's second moments are about 10⁻¹⁰: their last byte is a slash or a dot."""
    rng = np.random.default_rng(3)
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        for number in range(6):
            moments = np.abs(rng.normal(size=60_000)) * 10.0 ** rng.uniform(-11, -9)
            file.create_dataset(f"optimizer_weights/{number}", data=moments.astype("<f4"))
    assert scan_file(path).hits == ()
    with h5py.File(path, "r+") as file:
        place, data = file["optimizer_weights/3"].id.get_offset(), b"/home/maria/beats.csv"
    raw = bytearray(path.read_bytes())
    raw[place + 401 : place + 401 + len(data)] = data
    path.write_bytes(raw)
    assert [hit.kind for hit in scan_file(path).hits] == ["path"]
