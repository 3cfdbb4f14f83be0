"""A Keras file taken apart: the attributes and weights of an .h5, the members of a .keras."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from audit_pipeline.model.hdf5 import MAX_WEIGHT_BYTES
from audit_pipeline.model.hdf5 import SIGNATURE as HDF5
from audit_pipeline.model.keras_zip import SIGNATURE as ZIP
from audit_pipeline.privacy.opened.naming import told
from audit_pipeline.privacy.opened.section import Constant, Region, Section

_MAX_OBJECTS = 20_000
_END_OF_DIRECTORY = b"PK\x05\x06"
_END_BYTES = 22
_LOCAL_HEADER_BYTES, _LOCAL_NAME_LENGTH = 30, 26
_SUPERBLOCK_EOF = {0: 40, 1: 44, 2: 28, 3: 28}
"""HDF5 superblock version → where the end of the file is written, with addresses of 8 bytes (HDF5 File Format
Specification 3.0, II.A)."""
_DAMAGED = (struct.error, OSError, RuntimeError, KeyError, ValueError, TypeError, NotImplementedError)


def is_hdf5(data: bytes) -> bool:
    """Whether bytes begin as an HDF5 file does."""
    return data.startswith(HDF5)


def is_zip(data: bytes) -> bool:
    """Whether bytes begin as a .keras, or any zip, does."""
    return data.startswith(ZIP)


def hdf5_sections(name: str, data: bytes) -> tuple[Section, ...]:
    """The file as it lies on the disk with its attributes and weights named, and what is packed in it unpacked.

    Of a damaged file only its bytes are given. Nothing outside of the file is opened.
    """
    import h5py

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            attributes, constants = _contents(file)
    except _DAMAGED:
        return (Section(name, data),)
    regions, packed = [], []
    for attribute, value in attributes:
        at = data.find(value)
        if at < 0:
            packed.append(Section(f"{name}: {attribute}", value))
        else:
            regions.append(Region(at, at + len(value), attribute))
    lying = [constant for constant in constants if constant.offset]
    regions += [Region(each.offset, each.offset + each.values.nbytes, f"weights {each.name}") for each in lying]
    whole = Section(name, data, regions=_apart(regions), constants=_both_ways(lying), end=_hdf5_end(data))
    unpacked = (
        Section(f"{name}: weights {each.name}", _bytes(each.values), constants=_both_ways([each]))
        for each in constants
        if not each.offset
    )
    return whole, *packed, *unpacked


def zip_sections(name: str, data: bytes) -> tuple[Section, ...]:
    """What stands between and behind the members of the archive, with its comments, and every member unpacked."""
    around = bytearray(data)
    sections: list[Section] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for place, info in enumerate(archive.infolist()):
                with archive.open(info) as stream:
                    member = stream.read(MAX_WEIGHT_BYTES + 1)[:MAX_WEIGHT_BYTES]
                title = f"{name}: {told(info.filename.encode(), place)}"
                sections += hdf5_sections(title, member) if is_hdf5(member) else (Section(title, member),)
                start = _packed_at(data, info.header_offset)
                around[start : start + info.compress_size] = bytes(info.compress_size)
    except (*_DAMAGED, zipfile.BadZipFile, zlib.error, EOFError):
        return (Section(name, data),)
    return Section(name, bytes(around), end=_zip_end(data)), *sections


def _packed_at(data: bytes, header: int) -> int:
    """Where a member begins behind its local header (PKWARE, APPNOTE.TXT 6.3.10, 4.3.7)."""
    name, extra = struct.unpack_from("<HH", data, header + _LOCAL_NAME_LENGTH)
    return int(header + _LOCAL_HEADER_BYTES + name + extra)


def _contents(file: Any) -> tuple[list[tuple[str, bytes]], list[Constant]]:
    """Attributes and numbers of every object that is reached by hard links."""
    attributes: list[tuple[str, bytes]] = []
    constants: list[Constant] = []
    for name, found in _walk(file):
        title = told(name.encode(), len(constants))
        attributes += [(f"attribute {told(key.encode(), 0)} of {title}", text) for key, text in _texts(found)]
        if _holds_numbers(found):
            offset = found.id.get_offset() if found.chunks is None else None
            constants.append(Constant(title, int(offset or 0), np.asarray(found[()])))
    return attributes, constants


def _holds_numbers(found: Any) -> bool:
    if not hasattr(found, "shape") or found.dtype.kind not in "fiu" or found.external or found.is_virtual:
        return False
    return bool(0 < found.size * found.dtype.itemsize <= MAX_WEIGHT_BYTES)


def _walk(file: Any) -> Iterator[tuple[str, Any]]:
    import h5py

    waiting: list[tuple[str, Any]] = [("/", file)]
    seen: set[int] = set()
    while waiting and len(seen) < _MAX_OBJECTS:
        name, current = waiting.pop()
        yield name, current
        if not isinstance(current, h5py.Group):
            continue
        for key in current:
            if isinstance(current.get(key, getlink=True), h5py.HardLink):
                found = current[key]
                identity = h5py.h5o.get_info(found.id).addr
                if identity not in seen:
                    seen.add(identity)
                    waiting.append((f"{name.rstrip('/')}/{key}", found))


def _texts(found: Any) -> Iterator[tuple[str, bytes]]:
    """Attributes that are text, or lists of texts."""
    for key in found.attrs:
        values = found.attrs[key]
        for value in np.ravel(np.asarray(values, dtype=object)):
            text = value.encode(errors="replace") if isinstance(value, str) else value
            if isinstance(text, bytes) and text:
                yield key, text


def _both_ways(constants: list[Constant]) -> tuple[Constant, ...]:
    """As they stand, and by unit: Keras stores the weights of one unit as a column."""
    turned = [
        replace(each, values=np.moveaxis(each.values, -1, 0), contiguous=False)
        for each in constants
        if each.values.ndim > 1
    ]
    return (*constants, *turned)


def _apart(regions: list[Region]) -> tuple[Region, ...]:
    """Sorted, and without those that begin within another: short names stand in long texts, too."""
    kept: list[Region] = []
    for region in sorted(regions, key=lambda each: (each.start, -each.end)):
        if not kept or region.start >= kept[-1].end:
            kept.append(region)
    return tuple(kept)


def _hdf5_end(data: bytes) -> int | None:
    """The end that the superblock gives; None where it is of a form that Keras does not write."""
    at = _SUPERBLOCK_EOF.get(data[8]) if len(data) > _END_BYTES * 4 else None
    if at is None or data[13 if data[8] < 2 else 9] != 8:
        return None
    end = int.from_bytes(data[at : at + 8], "little")
    return end if end <= len(data) else None


def _zip_end(data: bytes) -> int | None:
    """Behind the record that ends the directory; its comment counts as trailing, since no model needs one."""
    at = data.rfind(_END_OF_DIRECTORY)
    return at + _END_BYTES if 0 <= at <= len(data) - _END_BYTES else None


def _bytes(values: Any) -> bytes:
    return np.ascontiguousarray(values).tobytes()
