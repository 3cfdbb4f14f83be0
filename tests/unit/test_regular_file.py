from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from audit_pipeline.regular_file import read_regular_file


@pytest.mark.parametrize("size", [0, 1, 100])
def test_a_file_is_read_whole(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(size))
    (tmp_path / "link").symlink_to(path)
    assert read_regular_file(path, largest_bytes=100) == bytes(size)
    assert read_regular_file(tmp_path / "link", largest_bytes=100) == bytes(size)


def test_a_file_that_is_larger_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(101))
    with pytest.raises(OSError, match="larger than"):
        read_regular_file(tmp_path / "file", largest_bytes=100)


@pytest.mark.parametrize("put", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_nobody_is_waited_for_and_no_device_is_read(tmp_path: Path, put: Callable[[Path], None]) -> None:
    put(tmp_path / "file")
    with pytest.raises(OSError, match="a pipe or a device"):
        read_regular_file(tmp_path / "file", largest_bytes=100)


@pytest.mark.parametrize("name", [".", "absent"])
def test_what_is_no_file_is_an_error_of_the_system(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError, match=r"\[Errno"):
        read_regular_file(tmp_path / name, largest_bytes=100)
