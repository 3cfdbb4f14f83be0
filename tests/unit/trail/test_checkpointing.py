"""The step after every entry: signed, remembered, entered; and what is never signed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from signed_log import WITNESS, code, enter, head_of, key_of, memory_of

from audit_pipeline.errors import RejectedError, ToolError
from audit_pipeline.trail import checkpointing as step
from audit_pipeline.trail.checkpoint import sign_checkpoint
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.log_key import make_log_key
from audit_pipeline.trail.note import parse_note
from audit_pipeline.trail.place import Place
from audit_pipeline.trail.proofs import check_consistency

# What is signed


def test_every_entry_is_under_a_checkpoint_when_it_is_acknowledged(trail):
    for number in range(5):
        receipt = enter(trail, number)
        assert head_of(trail.checkpoint(), trail) == receipt.head


def test_a_log_without_entries_has_no_checkpoint(trail):
    assert trail.checkpoint() is None
    assert list(trail.checkpoints()) == []


def test_checkpoints_come_the_newest_first_and_each_extends_the_one_before(filled):
    heads = [head_of(note, filled) for note in filled.checkpoints()]
    assert [head.size for head in heads] == list(range(11, 0, -1))
    for new, old in pairwise(heads):
        check_consistency(old, new, filled.consistency(old.size, new.size))


def test_what_is_signed_is_remembered_outside_and_what_is_remembered_is_entered(path):
    with Trail.open(path) as trail:
        enter(trail)
        assert memory_of(path).read_bytes() == trail.checkpoint()


def test_an_opened_trail_signs_nothing_twice(filled, place):
    before = list(filled.checkpoints())
    Trail.open(place).close()
    assert list(filled.checkpoints()) == before


def test_writers_who_wait_are_covered_by_one_signature(trail, monkeypatch):
    # Held until three entries stand in the database, and then let go.
    entered, signed = threading.Barrier(3), []
    cover = step.Checkpointing.cover
    monkeypatch.setattr(step.Checkpointing, "cover", lambda self, size: (entered.wait(30), cover(self, size)))
    monkeypatch.setattr(step, "sign_checkpoint", lambda *given: signed.append(given) or sign_checkpoint(*given))
    threads = [threading.Thread(target=enter, args=(trail, number)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signed) == 1
    assert [head_of(note, trail).size for note in trail.checkpoints()] == [3]


# What a killed process leaves

KILLED = """
import os, sys
from pathlib import Path
from audit_pipeline.trail import checkpoint_rows, memory
from audit_pipeline.trail.checkpointing import Checkpointing
from audit_pipeline.trail.log import Trail
def die(*given, **named):
    os.kill(os.getpid(), 9)
with Trail.open(sys.argv[1]) as trail:
    trail.append("data", run="run", at="2026-05-04T12:00:00Z", body={})
    match sys.argv[2]:
        case "before-signing": Checkpointing.cover = die
        case "before-remembering": memory.Memory.remember = die
        case "while-remembering": Path.replace = die
        case "before-entering": checkpoint_rows.enter_checkpoint = die
    trail.append("data", run="run", at="2026-05-04T12:00:00Z", body={})
"""


@pytest.mark.parametrize("when", ["before-signing", "before-remembering", "while-remembering", "before-entering"])
@pytest.mark.parametrize("next_one", ["opens", "appends"])
def test_what_a_killed_writer_left_uncovered_the_next_one_covers(path, when, next_one):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path), when], check=False)
    assert killed.returncode == -9
    with Trail.open(path, create=False) as reader:
        assert reader.verify().size == 2
        assert head_of(reader.checkpoint(), reader).size == 1
    if next_one == "opens":
        Trail.open(path).close()
        expected = 2
    else:
        with Trail.open(path, create=False) as trail:
            expected = enter(trail).head.size
    with Trail.open(path, create=False) as reader:
        assert head_of(reader.checkpoint(), reader) == reader.verify()
        assert head_of(reader.checkpoint(), reader).size == expected
        assert memory_of(path).read_bytes() == reader.checkpoint()


def test_a_trail_whose_making_was_cut_off_after_its_key_takes_that_key(path):
    made = make_log_key(key_of(path))
    with Trail.open(path) as trail:
        assert trail.log().key() == made.key
        assert enter(trail).head.size == 1


def test_two_machines_with_one_key_each_remember_what_they_signed(filled, place, tmp_path):
    here = place.key or key_of(Path(place.url))
    (tmp_path / "there").mkdir()
    for name in (here.name, f"{here.name}.checkpoint"):
        shutil.copy2(here.with_name(name), tmp_path / "there" / name)
    other = Place(place.url, tmp_path / "there" / here.name)
    for size in (12, 14, 16):
        with Trail.open(other) as there:
            assert enter(there).head.size == size
        with Trail.open(place) as trail:
            assert enter(trail).head.size == size + 1
    heads = [head_of(note, filled) for note in filled.checkpoints()]
    assert [head.size for head in heads] == list(range(17, 0, -1))


# What is never signed


def copied(path, to):
    with closing(sqlite3.connect(path)) as connection, closing(sqlite3.connect(to)) as copy:
        connection.backup(copy)


def test_an_older_copy_is_refused_before_anything_is_recorded(path, tmp_path):
    with Trail.open(path) as trail:
        enter(trail)
        copied(path, tmp_path / "old.db")
        enter(trail)
    shutil.move(tmp_path / "old.db", path)
    remembered = memory_of(path).read_bytes()
    assert code(Trail.open, path) == "trail.rolled-back"
    with Trail.open(path, create=False) as trail:
        assert code(enter, trail) == "trail.rolled-back"
        assert trail.verify().size == 1
    assert memory_of(path).read_bytes() == remembered


def test_a_database_deleted_and_begun_anew_is_refused(path):
    with Trail.open(path) as trail:
        enter(trail)
    path.unlink()
    with pytest.raises(RejectedError) as caught:
        Trail.open(path)
    assert caught.value.code == "trail.rolled-back"
    assert str(memory_of(path)) in caught.value.hint


def test_a_second_log_with_the_same_key_is_refused(path, tmp_path):
    with Trail.open(path) as trail:
        enter(trail, 1)
    second = Place(str(tmp_path / "second.db"), key_of(path))
    assert code(Trail.open, second) == "trail.rolled-back"


def fork(path, to, entries):
    """Another history under the same identity, by somebody who holds the key and forgot what it remembers."""
    with closing(sqlite3.connect(path)) as connection:
        (origin, vkey) = connection.execute("SELECT origin, vkey FROM log").fetchone()
    with Trail.open(to) as trail:
        for number in range(entries):
            enter(trail, 100 + number)
    with closing(sqlite3.connect(to, isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE log SET origin = ?, vkey = ?", (origin, vkey))
        connection.execute("DELETE FROM checkpoint")


@pytest.mark.parametrize("entries", [2, 3, 5])
def test_another_history_of_the_same_log_is_refused(path, tmp_path, entries):
    with Trail.open(path) as trail:
        enter(trail)
        enter(trail)
    fork(path, tmp_path / "fork.db", entries)
    forked = Place(str(tmp_path / "fork.db"), key_of(path))
    assert code(Trail.open, forked) == "trail.other-log"
    with Trail.open(forked, create=False) as trail:
        assert code(enter, trail) == "trail.other-log"
        assert trail.verify().size == entries


def test_a_history_whose_nodes_were_kept_is_refused_when_it_comes_to_signing(path, rewrite):
    """A new tree on an old one's nodes: what is proven is the head that would be signed, not the rows."""
    with Trail.open(path) as trail:
        for number in range(4):
            enter(trail, number)
    rewrite(
        "UPDATE frontier SET size = 5, peaks = substr(peaks, 1, 0) || printf('%.128c', 'a')",
        'INSERT INTO entry SELECT 5 - 1, kind, run, at, canonical, leaf_hash, root, nodes FROM entry WHERE "index" = 3',
    )
    assert code(Trail.open, path) == "trail.other-log"


def test_a_history_swapped_under_an_open_trail_is_not_signed(path, place):
    with Trail.open(path) as trail:
        enter(trail)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            root = "ab" * 32
            connection.execute(f"UPDATE frontier SET peaks = '{root}'")
            connection.execute(f"UPDATE entry SET leaf_hash = '{root}', root = '{root}'")
        assert code(enter, trail) == "trail.other-log"
        assert trail.head().size == 1


def test_a_forgotten_memory_is_not_an_empty_one(path):
    with Trail.open(path) as trail:
        enter(trail)
        newest = trail.checkpoint()
    memory_of(path).unlink()
    with pytest.raises(RejectedError) as caught:
        Trail.open(path)
    assert caught.value.code == "trail.memory-missing"
    assert f"audit log anchor {memory_of(path)}" in caught.value.hint
    assert "audit log verify --checkpoint FILE" in caught.value.hint
    memory_of(path).write_bytes(newest)
    with Trail.open(path) as trail:
        assert enter(trail).head.size == 2


def test_a_cosigned_checkpoint_serves_as_the_memory(path):
    with Trail.open(path) as trail:
        enter(trail)
        note = parse_note(trail.checkpoint())
        cosigned = note.joined([WITNESS.sign(note.text, seconds=1)]).to_bytes()
        trail.add_cosignatures(cosigned)
    memory_of(path).write_bytes(cosigned)
    with Trail.open(path) as trail:
        assert enter(trail).head.size == 2


def test_a_checkpoint_that_cannot_be_remembered_is_not_entered(path):
    with Trail.open(path) as trail:
        enter(trail)
        beside = memory_of(path).with_name(f"{memory_of(path).name}.new")
        beside.mkdir()
        with pytest.raises(ToolError) as caught:
            enter(trail)
        assert caught.value.code == "trail.uncovered"
        assert "recorded" in caught.value.what
        assert caught.value.where == str(memory_of(path))
        assert head_of(trail.checkpoint(), trail).size == 1
        beside.rmdir()
        assert enter(trail).head.size == 3
        assert head_of(trail.checkpoint(), trail).size == 3


READ_ONLY = """
import os, sys
from pathlib import Path
from audit_pipeline.errors import AuditError
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Place
place = Place(sys.argv[1], Path(sys.argv[2]))
Trail.open(place, create=False).close()  # imports what another user might not be allowed to
if os.getuid() == 0:  # who may write everywhere
    os.setuid(65534)
try:
    Trail.open(place)
except AuditError as error:
    print(error.code, int(error.exit_code))
"""


def test_a_key_beside_which_nothing_can_be_written_stops_a_writer_before_anything_is_recorded():
    # Not under tmp_path, whose parents another user may not enter.
    with tempfile.TemporaryDirectory() as folder:
        database, keys = Path(folder) / "audit.db", Path(folder) / "keys"
        keys.mkdir()
        with Trail.open(Place(str(database), keys / "log.key")) as trail:
            enter(trail)
        for file in (Path(folder), database, *keys.iterdir()):
            if os.getuid() == 0:
                os.chown(file, 65534, 65534)
        keys.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(database), str(keys / "log.key")],
            capture_output=True,
            text=True,
            check=False,
        )
        keys.chmod(0o755)
    assert done.stdout.split() == ["trail.memory-place", "4"], done.stderr


HOLDER = """
import fcntl, sys
stream = open(sys.argv[1])
fcntl.flock(stream, fcntl.LOCK_EX)
print(flush=True)
sys.stdin.read()
"""


def test_a_writer_waits_for_the_key_no_longer_than_it_was_told(path):
    with Trail.open(path, timeout_seconds=0.3) as trail:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(key_of(path))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        holder.stdout.readline()
        assert code(enter, trail) == "trail.uncovered"
        holder.communicate()
        assert enter(trail).head.size == 2
        assert head_of(trail.checkpoint(), trail).size == 2
