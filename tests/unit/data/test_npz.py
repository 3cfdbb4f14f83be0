from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib import format as npy

from audit_pipeline.data.npz import NpzColumns


def archive(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def members(**contents: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in contents.items():
            packed.writestr(f"{name}.npy", content)
    return stream.getvalue()


def array_file(header: dict[str, Any], data: bytes = b"") -> bytes:
    stream = io.BytesIO()
    npy.write_array_header_1_0(stream, header)
    return stream.getvalue() + data


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2", "<i2", "|u1", "|b1"])
def test_numbers_are_read_as_numpy_reads_them(write: Callable[..., None], dtype: str) -> None:
    array = np.asfortranarray(np.arange(6).reshape(2, 3).astype(dtype))
    stream = io.BytesIO()
    write(stream, a=array)
    (read,) = NpzColumns(stream.getvalue()).numbers(["a"])
    np.testing.assert_array_equal(read, array)
    assert read.dtype == array.dtype


def test_arrays_keep_the_files_order() -> None:
    assert NpzColumns(archive(b=np.zeros(1), a=np.zeros(1))).names == ("b", "a")


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("ran-the-pickle"),))


def test_nothing_is_ever_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pickled = pickle.dumps(np.array([Harmful()], dtype=object))
    header = {"descr": "|O", "fortran_order": False, "shape": (1,)}
    for raw in (archive(a=np.array([Harmful()], dtype=object)), members(a=array_file(header, pickled)), pickled):
        with pytest.raises(ValueError, match=r"Python objects|not a \.npz"):
            NpzColumns(raw).numbers(["a"])
    assert not (tmp_path / "ran-the-pickle").exists()


@pytest.mark.parametrize("shape", [(1 << 40,), (1 << 62, 8), (10,), (-1,), (2, -3), (1 << 31, 1 << 31, 1 << 31)])
def test_a_header_that_claims_more_than_there_is_is_refused_before_memory_is_taken(shape: tuple[int, ...]) -> None:
    raw = members(a=array_file({"descr": "<f4", "fortran_order": False, "shape": shape}, b"\0" * 24))
    with pytest.raises(ValueError, match="array a is damaged: its header claims"):
        NpzColumns(raw).numbers(["a"])


def test_text_of_no_length_takes_no_more_rows_than_there_are() -> None:
    raw = members(a=array_file({"descr": "<U0", "fortran_order": False, "shape": (1 << 50,)}))
    with pytest.raises(ValueError, match="array a is damaged: its header claims"):
        NpzColumns(raw).values("a")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\xff\xff{",
        b"text",
        b"\x93NUMPY\x09\x00\x02\x00{}",
        b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f4'}\n",
    ],
)
def test_what_is_no_array_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="array a is damaged"):
        NpzColumns(members(a=content)).numbers(["a"])


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"x" * 100, members(), b"\x93NUMPY"])
def test_what_is_no_archive_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a \.npz file"):
        NpzColumns(raw)


RAW = archive(a=np.arange(40, dtype=np.float32), b=np.array(["N", "V"]))
COMPRESSED = members(a=array_file({"descr": "<f4", "fortran_order": False, "shape": (400,)}, bytes(1600)))


@given(st.sampled_from([RAW, COMPRESSED]), st.data())
def test_damaged_bytes_raise_nothing_but_a_value_error(raw: bytes, data: st.DataObject) -> None:
    damaged = bytearray(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw)
    for _ in range(data.draw(st.integers(0, 3))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        columns = NpzColumns(bytes(damaged))
        for name in columns.names:
            columns.values(name)
            columns.numbers([name])
    except ValueError:
        pass
