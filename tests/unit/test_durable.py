"""A file that is replaced: the old one or the new one, whole, and on the disk with its name."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from audit_pipeline.durable import replace_file, sync_folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory"


def test_a_file_is_made_and_then_replaced_and_nothing_lies_beside_it(path: Path) -> None:
    for content in (b"first, and longer", b"second"):
        replace_file(path, content, mode=0o600)
        assert path.read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["memory"]


def test_what_a_kill_left_half_written_is_written_over(path: Path) -> None:
    path.with_name("memory.new").write_bytes(b"half of something longer")
    replace_file(path, b"whole", mode=0o600)
    assert path.read_bytes() == b"whole"


def test_a_link_that_lies_in_wait_is_not_written_through(path: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"untouched")
    path.with_name("memory.new").symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError, match="symbolic links"):
        replace_file(path, b"whole", mode=0o600)
    assert (tmp_path / "theirs").read_bytes() == b"untouched"


def test_a_disk_that_fails_leaves_the_old_content(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_file(path, b"old", mode=0o600)

    def fails(descriptor: int) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="the disk is gone"):
        replace_file(path, b"new", mode=0o600)
    assert path.read_bytes() == b"old"


def test_the_content_is_on_the_disk_before_it_has_the_name_and_the_name_after(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, sync = [], os.fsync

    def seen(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append(("folder" if is_folder else "file", path.exists()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", seen)
    replace_file(path, b"whole", mode=0o600)
    assert synced == [("file", False), ("folder", True)]


def test_a_folder_that_is_not_there_cannot_be_synced(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "none")
