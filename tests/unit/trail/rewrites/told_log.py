"""The genuine log: the story told by the real code, what others hold of it, and copies of every day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from forger import DATABASE, KEY, Files, Forger
from judges import Witness, honest_witness, seen_alone, seen_with_pin, seen_with_witness
from rewrite import Rewrite
from story import story

from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.note_key import ED25519, NoteSigner
from audit_pipeline.trail.signer_file import read_signer


@dataclass(frozen=True)
class Found:
    """The codes of the errors that three people meet; None for whom nothing is amiss."""

    alone: str | None
    """has the database, and nothing else"""
    pin: str | None
    """has a checkpoint that was kept elsewhere"""
    witness: str | None
    """asks an honest witness"""


@dataclass(frozen=True)
class ToldLog:
    """A log on its keeper's disk, and what stands elsewhere."""

    past: tuple[Files, ...]
    """by the number of entries"""
    signer: NoteSigner
    pinned: bytes
    """the newest checkpoint, as somebody else keeps it"""
    witness: Witness
    """has cosigned the log with every entry"""
    witnessed: dict[Path, bytes]
    """what it remembers of that"""
    folder: Path
    """for rewriting in"""

    def meets(self, rewrite: Rewrite | None) -> Found:
        """Rewrite a copy, or leave it as it is, and look at it."""
        self.past[-1].lay(self.folder)
        if rewrite is not None:
            rewrite.carry_out(Forger(self.folder, self.signer, self.past))
        # Some rewrites only add an entry that does not hold: the witness goes along, and must not for the next.
        for place, content in self.witnessed.items():
            place.write_bytes(content)
        path = self.folder / DATABASE
        return Found(
            seen_alone(path),
            seen_with_pin(path, self.signer.key, self.pinned),
            seen_with_witness(path, self.signer.key, self.witness),
        )


@contextmanager
def told_log(folder: Path) -> Iterator[ToldLog]:
    """Tell the story, one entry a day, each cosigned."""
    keeper, forger = folder / "keeper", folder / "forger"
    keeper.mkdir()
    forger.mkdir()
    path = keeper / DATABASE
    Trail.open(path).close()
    past, signer = [Files.of(keeper)], read_signer(keeper / KEY, kind=ED25519)
    with honest_witness(folder / "witness", signer.key) as witness:
        for told in story():
            with Trail.open(path) as trail:
                trail.append(told["kind"], run=told["run"], at=told["at"], body=told["body"])  # type: ignore[arg-type]
            witness.cosign(path, signer.key)
            past.append(Files.of(keeper))
        with Trail.open(path, create=False) as trail:
            pinned = trail.checkpoint()
        assert pinned is not None
        witnessed = {place: place.read_bytes() for place in (folder / "witness").glob("*.checkpoint")}
        yield ToldLog(tuple(past), signer, pinned, witness, witnessed, forger)
