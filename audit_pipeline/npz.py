"""NumPy archives, read without pickle and without trusting what a header claims."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

LARGEST_BYTES = 4 << 30
"""Of a file of data, and of the numbers in it once they are in memory."""

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, KeyError, MemoryError)


class NpzArrays:
    """The arrays of a .npz file."""

    def __init__(self, raw: bytes) -> None:
        """Open an archive.

        Args:
            raw: the file's bytes.

        Raises:
            ValueError: they are no archive of arrays.
        """
        try:
            self._archive = zipfile.ZipFile(BytesIO(raw))
        except _BROKEN as error:
            raise ValueError(f"not a .npz file: {error}") from error
        self._members = [member for member in self._archive.infolist() if member.filename.endswith(".npy")]
        if not self._members:
            raise ValueError("not a .npz file: no array is in it")

    @property
    def names(self) -> tuple[str, ...]:
        """All arrays, in the file's order."""
        return tuple(member.filename.removesuffix(".npy") for member in self._members)

    def numbers(self, names: Sequence[str]) -> list[NDArray[Any]]:
        """Arrays of numbers, [rows, ...] each.

        Raises:
            ValueError: an array is damaged or holds no real numbers.
        """
        arrays = [self.array(name) for name in names]
        for name, array in zip(names, arrays, strict=True):
            if array.dtype.kind not in "biuf":
                raise ValueError(f"array {name} holds {array.dtype}, not real numbers")
        return arrays

    def array(self, name: str) -> NDArray[Any]:
        """One array of any type but Python objects.

        Raises:
            ValueError: there is none of this name, or it is damaged.
        """
        member = self._members[self.names.index(name)]
        try:
            with self._archive.open(member) as stream:
                self._check_header(name, member, stream)
            with self._archive.open(member) as stream:
                return np.asarray(npy.read_array(stream, allow_pickle=False))
        except (*_BROKEN, UnicodeError) as error:
            raise ValueError(f"array {name} is damaged: {error or type(error).__name__}") from error

    def _check_header(self, name: str, member: zipfile.ZipInfo, stream: IO[bytes]) -> None:
        """Refuse what would be unpickled, and a shape that the bytes behind it do not fill."""
        try:
            major, _ = npy.read_magic(stream)
            read = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
            shape, _, dtype = read(stream)
        except ValueError as error:
            raise ValueError(f"array {name} is damaged: {str(error).splitlines()[0]}") from error
        if dtype.hasobject:
            raise ValueError(f"array {name} holds Python objects, which are never loaded: save text as str arrays")
        size = max(dtype.itemsize, 1)  # text of no length would let a header claim any number of rows
        for length in shape:
            size *= length
        if any(length < 0 for length in shape) or size != member.file_size - stream.tell():
            raise ValueError(f"array {name} is damaged: its header claims {size} bytes of shape {shape}")
        if size > LARGEST_BYTES:
            raise ValueError(f"array {name} is larger than {LARGEST_BYTES >> 30} GiB")
