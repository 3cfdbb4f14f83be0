from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imgtool.dumpinfo import dump_imginfo
from sealed_samples import Sealed, flip, truncations

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.parse import HEADER_BYTES, Tlv, looks_like_image, parse
from audit_pipeline.seal.profile import read
from audit_pipeline.seal.version import ImageVersion


def code_of(image: bytes) -> str:
    with pytest.raises(RejectedError) as caught:
        parse(image)
    assert caught.value.where is not None and "byte " in caught.value.where
    return caught.value.code


def patched(image: bytes, offset: int, fmt: str, value: int) -> bytes:
    changed = bytearray(image)
    struct.pack_into("<" + fmt, changed, offset, value)
    return bytes(changed)


def test_the_areas_put_together_again_are_the_image(small: Sealed) -> None:
    parsed = parse(small.image)
    head = parsed.header_area + parsed.payload + parsed.protected_area
    assert small.image.startswith(head)
    assert parsed.header.version == ImageVersion(1, 4, 0, 7)
    for tlv in parsed.protected + parsed.unprotected:
        raw = struct.pack("<HH", tlv.type, len(tlv.value)) + tlv.value
        assert small.image[tlv.offset : tlv.offset + len(raw)] == raw


@pytest.mark.parametrize("which", ["small", "full", "p256"])
def test_imgtool_reads_the_same_entries(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    image = request.getfixturevalue(which).image
    (tmp_path / "image.bin").write_bytes(image)
    dump_imginfo(str(tmp_path / "image.bin"), str(tmp_path / "out.json"), "json")
    dumped = json.loads((tmp_path / "out.json").read_text())
    parsed = parse(image)

    def theirs(area: str) -> list[tuple[int, bytes]]:
        return [(entry["type"], bytes.fromhex(entry["data"])) for entry in dumped["tlv_area"][area]]

    def ours(tlvs: tuple[Tlv, ...]) -> list[tuple[int, bytes]]:
        return [(tlv.type, tlv.value) for tlv in tlvs]

    assert ours(parsed.protected) == theirs("tlvs_prot")
    assert ours(parsed.unprotected) == theirs("tlvs")


@pytest.mark.parametrize("which", ["small", "full", "p256"])
def test_every_truncation_is_rejected_and_says_where(which: str, request: pytest.FixtureRequest) -> None:
    for cut in truncations(request.getfixturevalue(which).image):
        assert code_of(cut) == "image.truncated"


@pytest.mark.parametrize("extra", [b"\x00", b"\xff" * 16, b"\x07\x69\x04\x00"])
def test_trailing_bytes_are_rejected(small: Sealed, extra: bytes) -> None:
    assert code_of(small.image + extra) == "image.trailing-bytes"


@pytest.mark.parametrize(
    ("offset", "fmt", "value", "code"),
    [
        (0, "I", 0, "image.magic"),
        (8, "H", 64, "image.header-size"),
        (8, "H", 0, "image.header-size"),
        (10, "H", 0, "image.area-magic"),
        (10, "H", 0xFFFF, "image.truncated"),
        (12, "I", 0xFFFF_FFFF, "image.truncated"),
        (12, "I", 0, "image.area-magic"),
        (28, "I", 1, "image.header-reserved"),
        (96, "H", 0x6907, "image.area-magic"),
        (98, "H", 3, "image.area-size"),
        (98, "H", 164, "image.tlv-overrun"),
        (102, "H", 0xFFFF, "image.tlv-overrun"),
        (264, "H", 0x6908, "image.area-magic"),
        (266, "H", 0, "image.area-size"),
        (266, "H", 0xFFFF, "image.truncated"),
    ],
)
def test_a_field_that_does_not_fit_is_rejected(small: Sealed, offset: int, fmt: str, value: int, code: str) -> None:
    assert code_of(patched(small.image, offset, fmt, value)) == code


@pytest.mark.parametrize("hidden", [b"\x00", b"\x07\x69\x04\x00", bytes(64)])
def test_bytes_between_the_two_areas_are_rejected(small: Sealed, hidden: bytes) -> None:
    # The header counts them to the protected area, whose own head does not.
    image = patched(small.image[:264] + hidden + small.image[264:], 10, "H", 168 + len(hidden))
    assert code_of(image) == "image.area-size"


@given(st.binary(max_size=400))
def test_random_bytes_are_rejected_and_nothing_worse(data: bytes) -> None:
    with pytest.raises(RejectedError):
        parse(data)


@given(data=st.data())
def test_a_mutated_image_parses_or_is_rejected_and_nothing_worse(
    small: Sealed, full: Sealed, p256: Sealed, data: st.DataObject
) -> None:
    image = data.draw(st.sampled_from([small, full, p256])).image
    for bit in data.draw(st.lists(st.integers(0, len(image) * 8 - 1), max_size=6)):
        image = flip(image, bit)
    at = data.draw(st.integers(0, len(image)))
    image = image[:at] + data.draw(st.binary(max_size=8)) + image[at + data.draw(st.integers(0, 8)) :]
    try:
        read(image)
    except RejectedError as error:
        assert error.code.startswith("image.")


@given(st.binary(max_size=200))
def test_random_tlv_areas_behind_a_true_header_are_survived(area: bytes) -> None:
    header = struct.pack("<IIHHIIBBHII", 0x96F3B83D, 0, HEADER_BYTES, 0, 0, 4, 1, 0, 0, 0, 0)
    framed = struct.pack("<HH", 0x6907, len(area) + 4) + area
    try:
        parsed = parse(header + framed)
    except RejectedError as error:
        assert error.code == "image.tlv-overrun"
    else:
        assert sum(4 + len(tlv.value) for tlv in parsed.unprotected) == len(area)


def test_an_image_is_told_from_a_model_by_its_first_bytes(small: Sealed) -> None:
    assert looks_like_image(small.image)
    assert not looks_like_image(b"\x1c\x00\x00\x00TFL3" + bytes(64))
    assert not looks_like_image(small.image[:3])
