"""Key files are there whole or not at all: whatever is in the way, however the disk is full, whenever it is killed."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from key_samples import CHEAP, PASSPHRASE, code_of

from audit_pipeline.seal.keys import key_file
from audit_pipeline.seal.keys import load as keys
from audit_pipeline.seal.keys.key_file import NewFile, write_new

MAKE = f"""
import sys
from pathlib import Path
from audit_pipeline.errors import AuditError
from audit_pipeline.seal.keys import key_file, load as keys

{{before}}
try:
    keys.new_key("ed25519", Path(sys.argv[1]) / "release", b"secret", log2_n={CHEAP})
except AuditError as error:
    print(error.code, error)
"""

KILL = """
import os, signal
step, real, calls = {step}, os.{function}, 0
def deadly(*args, **named):
    global calls
    calls += 1
    if calls == step:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **named)
os.{function} = deadly
"""


def make_in_a_process(folder: Path, before: str, **named: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", MAKE.format(before=before), str(folder)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, **named)


@pytest.mark.parametrize(
    ("function", "step", "left"),
    [
        ("write", 1, set()),
        ("fsync", 1, set()),
        ("fsync", 2, set()),
        ("link", 1, set()),
        ("link", 2, {"release.key.pem"}),
        ("fsync", 3, {"release.key.pem", "release.pub.pem"}),
    ],
)
def test_a_kill_leaves_whole_files_or_none(tmp_path: Path, function: str, step: int, left: set[str]) -> None:
    done = make_in_a_process(tmp_path, KILL.format(function=function, step=step))
    assert done.returncode == -9
    assert {path.name for path in tmp_path.iterdir()} == left
    if left:
        keys.load_signer(tmp_path / "release.key.pem", b"secret")


def test_a_limit_on_the_size_of_files_leaves_nothing(tmp_path: Path) -> None:
    done = make_in_a_process(tmp_path, "", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
    assert done.stdout.startswith("keys.write-failed")
    assert "File too large" in done.stdout
    assert list(tmp_path.iterdir()) == []


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="may not mount a small disk in a namespace of its own")
@pytest.mark.parametrize("pages", [1, 2])
def test_a_full_disk_leaves_nothing_not_even_the_half_that_would_fit(tmp_path: Path, pages: int) -> None:
    """With one page the private key fits and the public one does not."""
    script = """
        mount -t tmpfs -o size=$((PAGES * 4096)) none "$0"
        if [ "$PAGES" = 2 ]; then head -c 4096 /dev/zero > "$0/filler"; fi
        "$1" -c "$2" "$0"
        ls -A "$0"
    """
    command = ["unshare", "-rm", "sh", "-ec", script, str(tmp_path), sys.executable, MAKE.format(before="")]
    environment = {**os.environ, "PAGES": str(pages)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environment)
    told, *left = done.stdout.splitlines()
    assert told.startswith("keys.write-failed")
    assert "No space left" in told
    assert left == ["filler"][: pages - 1]


@pytest.mark.parametrize("taken", ["release.key.pem", "release.pub.pem"])
def test_an_existing_file_is_never_overwritten_and_no_half_pair_is_left(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("precious")
    assert code_of(keys.new_key, "ed25519", tmp_path / "release", PASSPHRASE, log2_n=CHEAP) == "keys.exists"
    assert [path.name for path in tmp_path.iterdir()] == [taken]
    assert (tmp_path / taken).read_text() == "precious"


def test_a_dangling_link_in_the_place_of_a_key_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "release.key.pem").symlink_to(tmp_path / "elsewhere")
    assert code_of(keys.new_key, "ed25519", tmp_path / "release", PASSPHRASE, log2_n=CHEAP) == "keys.exists"
    assert not (tmp_path / "elsewhere").exists()


def test_a_missing_folder_and_a_missing_name_are_named(tmp_path: Path) -> None:
    assert code_of(keys.new_key, "ed25519", tmp_path / "none" / "release", PASSPHRASE, log2_n=CHEAP) == "keys.no-folder"
    (tmp_path / "file").touch()
    assert code_of(keys.new_key, "ed25519", tmp_path / "file" / "release", PASSPHRASE, log2_n=CHEAP) == "keys.no-folder"
    assert code_of(keys.new_key, "ed25519", Path("/"), PASSPHRASE, log2_n=CHEAP) == "keys.no-name"


@pytest.mark.parametrize("name", ["x" * 250, "zero\0byte"])
def test_an_impossible_name_is_refused(tmp_path: Path, name: str) -> None:
    assert code_of(keys.new_key, "ed25519", tmp_path / name, PASSPHRASE, log2_n=CHEAP) == "keys.no-place"
    assert list(tmp_path.iterdir()) == []


def test_modes_are_as_asked_whatever_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_new(NewFile(tmp_path / "a", b"a", 0o600), NewFile(tmp_path / "b", b"b", 0o644))
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"]
    assert modes == [0o600, 0o644]


@pytest.fixture
def no_unnamed_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filesystem such as NFS, which knows no O_TMPFILE."""
    real = os.open

    def without(path: str | Path, flags: int, *args: int, **named: int) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        return real(path, flags, *args, **named)

    monkeypatch.setattr(key_file.os, "open", without)


@pytest.mark.usefixtures("no_unnamed_files")
def test_where_files_always_have_names_a_hidden_one_serves_and_goes(tmp_path: Path) -> None:
    files = keys.new_key("ed25519", tmp_path / "release", PASSPHRASE, log2_n=CHEAP)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["release.key.pem", "release.pub.pem"]
    assert stat.S_IMODE(files.private.stat().st_mode) == 0o600
    keys.load_signer(files.private, PASSPHRASE)
    assert code_of(keys.new_key, "ed25519", tmp_path / "release", PASSPHRASE, log2_n=CHEAP) == "keys.exists"
    assert len(list(tmp_path.iterdir())) == 2


def test_without_proc_the_hidden_file_serves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_file, "_OPEN_FILES", tmp_path / "no proc")
    keys.new_key("ed25519", tmp_path / "release", PASSPHRASE, log2_n=CHEAP)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["release.key.pem", "release.pub.pem"]


@pytest.mark.usefixtures("no_unnamed_files")
def test_the_hidden_file_goes_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(key_file.os, "fsync", full)
    assert code_of(keys.new_key, "ed25519", tmp_path / "release", PASSPHRASE, log2_n=CHEAP) == "keys.write-failed"
    assert list(tmp_path.iterdir()) == []


def test_being_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(key_file, "sync_folder", interrupted)
    with pytest.raises(KeyboardInterrupt):
        keys.new_key("ed25519", tmp_path / "release", PASSPHRASE, log2_n=CHEAP)
    assert list(tmp_path.iterdir()) == []
