"""Who looks at the log afterwards: somebody with a pinned checkpoint, or somebody who asks one honest witness."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit_pipeline.errors import AuditError, RejectedError
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.log_trust import LogTrust, Pinned, check_log
from audit_pipeline.trail.note import Note, parse_note
from audit_pipeline.trail.note_key import COSIGNATURE, NoteKey, NoteSigner
from audit_pipeline.trail.place import Place
from audit_pipeline.trail.witness.client import ask_witness
from audit_pipeline.trail.witness.cosigner import Cosigner
from audit_pipeline.trail.witness.server import WitnessServer
from audit_pipeline.trail.witness.state import WitnessState
from audit_pipeline.trail.witnesses import WitnessQuorum

_NOW = 1_780_000_000
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Witness:
    """An honest witness that listens."""

    url: str
    key: NoteKey

    def cosign(self, path: Path, log: NoteKey) -> None:
        """Have the newest checkpoint cosigned, as `audit log witness ask` does.

        Raises:
            AuditError: there is no checkpoint, or the witness has seen another log.
        """
        with Trail.open(path, create=False) as trail:
            newest = trail.checkpoint()
            if newest is None:
                raise RejectedError("trail.unsigned", "there is no checkpoint to cosign")
            note = parse_note(newest)
            signatures = ask_witness(self.url, note, log, trail.consistency, keys=(self.key,))
            trail.add_cosignatures(Note(note.text, (*note.signatures, *signatures)).to_bytes())


@contextmanager
def honest_witness(folder: Path, log: NoteKey) -> Iterator[Witness]:
    """A witness of one log, in a thread of this process, on a port that is free."""
    signer = NoteSigner.generate("example.com/w1", COSIGNATURE)
    with WitnessState.open(folder, signer.key) as state:
        cosigner = Cosigner(signer, (log,), state, lambda: _NOW)
        server = WitnessServer((_LOOPBACK, 0), cosigner, lambda line: None)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Witness(f"http://{_LOOPBACK}:{server.server_address[1]}", signer.key)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def seen_alone(path: Path) -> str | None:
    """What somebody finds who has nothing but the database: the code of the error, or None."""
    return _code(lambda: _checked(path, LogTrust()))


def seen_with_pin(path: Path, key: NoteKey, pinned: bytes) -> str | None:
    """What somebody finds who has the log's public key and one checkpoint that was kept elsewhere."""
    return _code(lambda: _checked(path, LogTrust(key, pinned=Pinned(pinned, "pinned"))))


def seen_with_witness(path: Path, key: NoteKey, witness: Witness) -> str | None:
    """What somebody finds who has the log's public key and that of a witness, which they ask."""

    def ask() -> None:
        witness.cosign(path, key)
        _checked(path, LogTrust(key, witnesses=WitnessQuorum((witness.key,), 1)))

    return _code(ask)


def _checked(path: Path, trust: LogTrust) -> None:
    # Nobody who looks has the key's memory: it lies where the forger writes.
    with Trail.open(Place(str(path), path.with_name("elsewhere.key")), create=False) as trail:
        check_log(trail, trust)


def _code(ask: Callable[[], object]) -> str | None:
    try:
        ask()
    except AuditError as error:
        return error.code
    return None
