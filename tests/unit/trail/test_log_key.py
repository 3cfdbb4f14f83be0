"""The key of a log: made with a new trail, and asked for by every writer after that."""

from __future__ import annotations

import os
import re
import stat
from itertools import count
from pathlib import Path

import pytest

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.log_key import LogIdentity, make_log_key
from audit_pipeline.trail.note_key import COSIGNATURE, NoteSigner
from audit_pipeline.trail.place import Place
from audit_pipeline.trail.signer_file import write_signer

AT = "2026-05-04T12:00:00Z"


def enter(trail):
    return trail.append("data", run="run", at=AT, body={})


def refused(address):
    with pytest.raises(InputError) as caught:
        Trail.open(address)
    return caught.value


def key_of(path):
    return path.with_name(f"{path.name}.key")


def memory_of(path):
    return path.with_name(f"{path.name}.key.checkpoint")


@pytest.fixture
def written(path):
    """A trail with one entry, closed."""
    with Trail.open(path) as trail:
        enter(trail)
    return path


def test_a_new_trail_has_a_key_of_its_own_which_is_nobody_elses(path):
    with Trail.open(path) as trail:
        identity = trail.log()
    assert stat.S_IMODE(key_of(path).stat().st_mode) == 0o600
    assert re.fullmatch(r"audit-pipeline\.dev/log/[0-9a-f]{16}", identity.origin)
    assert identity.key().name == identity.origin
    assert identity.vkey not in key_of(path).read_text()


def test_no_two_trails_are_one_log(tmp_path):
    origins = set()
    for name in ("a.db", "b.db"):
        with Trail.open(tmp_path / name) as trail:
            origins.add(trail.log().origin)
    assert len(origins) == 2


def test_a_trail_stays_the_log_that_it_is(written):
    with Trail.open(written) as trail:
        before = trail.log()
        enter(trail)
        assert trail.log() == before


def test_a_key_is_made_where_it_is_said_to_be(path, tmp_path):
    elsewhere = tmp_path / "keys"
    elsewhere.mkdir()
    with Trail.open(Place(str(path), elsewhere / "log.key")) as trail:
        enter(trail)
    assert sorted(file.name for file in elsewhere.iterdir()) == ["log.key", "log.key.checkpoint"]
    assert not key_of(path).exists()


def test_a_lost_key_stops_writers_and_says_what_to_do(written):
    key_of(written).rename(written.with_name("moved"))
    memory_of(written).rename(written.with_name("moved.checkpoint"))
    error = refused(written)
    assert error.code == "trail.key-missing"
    assert "AUDIT_LOG_KEY" in error.hint
    with Trail.open(Place(str(written), written.with_name("moved"))) as trail:
        assert trail.log() is not None


def test_without_its_key_a_log_is_still_read_verified_and_proven(written):
    key_of(written).unlink()
    with Trail.open(written, create=False) as trail:
        assert trail.verify().size == 1
        assert trail.checkpoint() is not None
        assert trail.inclusion(0) == ()
        with pytest.raises(InputError) as caught:
            enter(trail)
        assert caught.value.code == "trail.key-missing"
        assert trail.verify().size == 1


def test_another_logs_key_is_refused(written, tmp_path):
    make_log_key(tmp_path / "other.key")
    error = refused(Place(str(written), tmp_path / "other.key"))
    assert error.code == "trail.key-wrong"
    assert error.where.endswith("other.key")


@pytest.mark.parametrize("content", ["", "no key", "PRIVATE+KEY+x+00000000+AAAA", "\xff", "x" * 5000], ids=count())
def test_a_damaged_key_is_refused_and_not_repeated(written, content):
    key_of(written).write_text(content)
    error = refused(written)
    assert error.code in {"note.skey", "note.unreadable"}
    assert "AAAA" not in str(error)


def test_a_key_that_others_can_read_is_refused(written):
    key_of(written).chmod(0o644)
    error = refused(written)
    assert error.code == "note.readable-by-others"
    assert error.hint.startswith("chmod 600")


def test_a_witnesss_key_is_no_logs(written):
    key_of(written).unlink()
    write_signer(key_of(written), NoteSigner.generate("example.com/w1", COSIGNATURE))
    assert refused(written).code == "note.skey"


def test_a_pipe_in_the_keys_place_keeps_nobody_waiting(written):
    key_of(written).unlink()
    os.mkfifo(key_of(written), 0o600)
    assert refused(written).code == "note.unreadable"


def test_a_key_in_a_folder_that_does_not_exist_is_refused(path):
    error = refused(Place(str(path), path.parent / "missing" / "log.key"))
    assert error.code == "trail.key-place"
    assert error.hint == "make it first"


def test_a_trail_made_without_its_log_gets_a_key_when_somebody_writes(filled, rewrite, place):
    # As one of a version that signed nothing.
    rewrite("DELETE FROM log", "DELETE FROM checkpoint")
    key = place.key or key_of(Path(place.url))
    for file in (key, key.with_name(f"{key.name}.checkpoint")):
        file.unlink()
    with Trail.open(place, create=False) as trail:
        assert trail.log() is None
        assert trail.checkpoint() is None
    with Trail.open(place) as trail:
        assert trail.checkpoint().split(b"\n")[1] == b"11"


def test_an_identity_that_contradicts_itself_is_not_believed(filled, rewrite):
    other = NoteSigner.generate("example.com/other")
    rewrite(f"UPDATE log SET vkey = '{other.key.to_vkey()}'")
    with pytest.raises(RejectedError) as caught:
        filled.checkpoint()
    assert caught.value.code == "trail.identity"


@pytest.mark.parametrize("vkey", ["", "no key", NoteSigner.generate("a", COSIGNATURE).key.to_vkey()], ids=count())
def test_an_identity_without_a_logs_key_is_not_believed(vkey):
    with pytest.raises(RejectedError) as caught:
        LogIdentity("a", vkey).key()
    assert caught.value.code == "trail.identity"


def test_a_log_on_a_server_needs_its_key_named(fresh_database, postgres, tmp_path):
    address = Place(postgres.url(fresh_database()), tmp_path / "log.key")
    error = refused(Place(address.url))
    assert error.code == "trail.key-needed"
    assert "AUDIT_LOG_KEY" in error.hint
    with Trail.open(address) as trail:
        enter(trail)
    with Trail.open(Place(address.url), create=False) as trail:
        assert trail.verify().size == 1
