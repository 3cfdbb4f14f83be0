"""What a log's key remembers outside the database, and the lock of whoever signs."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from itertools import count

import pytest

from audit_pipeline.errors import RejectedError, ToolError
from audit_pipeline.trail.checkpoint import sign_checkpoint
from audit_pipeline.trail.file_lock import locked
from audit_pipeline.trail.log_key import make_log_key
from audit_pipeline.trail.memory import Memory, Remembered
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.note_key import NoteSigner

HEAD = TreeHead(3, "ab" * 32)


@pytest.fixture
def key_file(tmp_path):
    return tmp_path / "log.key"


@pytest.fixture
def signer(key_file):
    return make_log_key(key_file)


@pytest.fixture
def memory(key_file, signer):
    return Memory(key_file, signer.key)


def test_a_new_key_remembers_nothing(memory):
    assert memory.recall() is None


def test_what_was_signed_is_remembered_beside_the_key(memory, signer, key_file):
    note = sign_checkpoint(signer, HEAD)
    memory.remember(note)
    assert memory.recall() == Remembered(note, HEAD)
    assert key_file.with_name("log.key.checkpoint").read_bytes() == note.to_bytes()
    assert sorted(file.name for file in key_file.parent.iterdir()) == ["log.key", "log.key.checkpoint"]


def test_the_newest_takes_the_place_of_the_one_before(memory, signer):
    memory.remember(sign_checkpoint(signer, HEAD))
    memory.remember(sign_checkpoint(signer, TreeHead(4, "cd" * 32)))
    assert memory.recall().head.size == 4


def test_what_a_killed_process_left_half_written_is_written_over(memory, signer):
    memory.path.with_name(f"{memory.path.name}.new").write_text("half")
    memory.remember(sign_checkpoint(signer, HEAD))
    assert memory.recall().head == HEAD


@pytest.mark.parametrize("content", [b"", b"nothing", b"\xff" * 100, b"x" * (1 << 18) + b"y"], ids=count())
def test_a_memory_that_is_none_is_not_an_empty_one(memory, content):
    memory.path.write_bytes(content)
    with pytest.raises((RejectedError, ToolError)) as caught:
        memory.recall()
    assert caught.value.code in {"trail.memory", "trail.memory-unreadable"}
    assert caught.value.where == str(memory.path)


def test_another_keys_memory_is_refused(memory, signer):
    other = NoteSigner.generate(signer.key.name)
    memory.path.write_bytes(sign_checkpoint(other, HEAD).to_bytes())
    with pytest.raises(RejectedError) as caught:
        memory.recall()
    assert caught.value.code == "trail.memory"


def test_a_memory_altered_in_its_size_is_refused(memory, signer):
    memory.path.write_bytes(sign_checkpoint(signer, HEAD).to_bytes().replace(b"\n3\n", b"\n2\n"))
    with pytest.raises(RejectedError) as caught:
        memory.recall()
    assert caught.value.code == "trail.memory"


def test_a_memory_that_cannot_be_written_says_so_and_stays(memory, signer):
    memory.remember(sign_checkpoint(signer, HEAD))
    memory.path.with_name(f"{memory.path.name}.new").mkdir()
    with pytest.raises(ToolError) as caught:
        memory.remember(sign_checkpoint(signer, TreeHead(4, "cd" * 32)))
    assert caught.value.code == "trail.memory-unwritten"
    assert memory.recall().head == HEAD


def test_a_link_in_the_new_ones_place_is_not_followed(memory, signer, tmp_path):
    (tmp_path / "target").write_text("precious")
    memory.path.with_name(f"{memory.path.name}.new").symlink_to(tmp_path / "target")
    with pytest.raises(ToolError):
        memory.remember(sign_checkpoint(signer, HEAD))
    assert (tmp_path / "target").read_text() == "precious"


def test_one_thread_at_a_time_signs(memory):
    inside, most = [], []

    def sign():
        for _ in range(20):
            with memory.alone(10, unless=lambda: False):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=sign) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert len(most) == 80


HOLDER = """
import fcntl, sys, time
stream = open(sys.argv[1])
fcntl.flock(stream, fcntl.LOCK_EX)
print(flush=True)
time.sleep(600)
"""


def test_a_lock_that_is_not_let_go_of_is_given_up_and_one_of_the_dead_is_free(key_file, signer):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(key_file)], stdout=subprocess.PIPE)
    try:
        holder.stdout.readline()
        began = time.monotonic()
        with pytest.raises(ToolError) as caught, locked(key_file, timeout_seconds=0.2):
            pass
        assert caught.value.code == "trail.locked"
        assert 0.2 <= time.monotonic() - began < 5
    finally:
        holder.kill()
        holder.communicate()
    with locked(key_file, timeout_seconds=5):
        pass
