"""`audit log prove` and `audit log check-proof`: one entry, shown to somebody who has no database and asks nobody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.log_show import BY_NAME, entry_number, no_such_run
from audit_pipeline.cli.log_trust_option import (
    LARGEST_PROOF_BYTES,
    LogKeyOption,
    WitnessesOption,
    WitnessOption,
    read_file,
    read_log_trust,
)
from audit_pipeline.cli.output import check_place, write_whole
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption

if TYPE_CHECKING:
    from audit_pipeline.trail.checkpoint import Checkpoint
    from audit_pipeline.trail.entry import Entry
    from audit_pipeline.trail.kind import Kind
    from audit_pipeline.trail.log import Trail

_SPEAKS_FOR_A_RUN: tuple[Kind, ...] = ("seal", "verdict")


def prove(
    what: Annotated[
        str,
        typer.Argument(metavar="RUN|INDEX", help="An entry's number, or a run's name for its seal, else its verdict."),
    ],
    out: Annotated[Path, typer.Option("--out", help="File to write: NAME.tlog-proof.")],
    trail: TrailOption = DEFAULT_TRAIL,
    log_key: LogKeyOption = None,
    witness: WitnessOption = None,
    witnesses: WitnessesOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Write the proof that an entry is in the log (C2SP tlog-proof), with the entry's text in it.

    Whoever gets the file checks it with `audit log check-proof` and the log's key, or with any tool for that format.
    """
    from audit_pipeline.trail.checkpoint import Checkpoint
    from audit_pipeline.trail.log import Trail
    from audit_pipeline.trail.proving import prove as make

    check_place(out)
    trust = read_log_trust(log_key, witness, witnesses, None)
    with Trail.open(trail, create=False) as opened:
        entry = _entry(opened, what)
        proof = make(opened, entry, trust)
        identity = opened.log()
    checkpoint = Checkpoint.parse(proof.checkpoint.text)
    write_whole(out, proof.to_bytes())
    vkey = identity.vkey if identity else None
    result = {"file": str(out), **_told(entry, checkpoint), "vkey": vkey}
    lines = [*_lines(entry, checkpoint), f"written to {out}; to check it: audit log check-proof {out} --log-key {vkey}"]
    if entry.redacted:
        lines.append("its text was taken out: the proof shows that there was one; who kept it proves it with --entry")
    show(result, _text(lines), as_json=as_json)


def check_proof(
    file: Annotated[Path, typer.Argument(help="A .tlog-proof file.")],
    log_key: Annotated[
        str, typer.Option("--log-key", metavar="VKEY|FILE", help="The log's public key, from elsewhere than the proof.")
    ],
    entry: Annotated[
        Path | None, typer.Option("--entry", help="File with the entry's exact bytes; else those the proof carries.")
    ] = None,
    witness: WitnessOption = None,
    witnesses: WitnessesOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Check offline that an entry is in the log whose key is given, and show what it says."""
    from audit_pipeline.trail.proving import check_proof as check
    from audit_pipeline.trail.tlog_proof import TlogProof

    trust = read_log_trust(log_key, witness, witnesses, None)
    proof = TlogProof.parse(read_file(file, LARGEST_PROOF_BYTES), where=str(file))
    text = read_file(entry, LARGEST_PROOF_BYTES) if entry is not None else None
    held = check(proof, text, trust, str(file))
    names = [key.name for key in held.cosigned]
    result = {"holds": True, **_told(held.entry, held.checkpoint), "cosigned_by": names, "entry": held.entry.to_json()}
    lines = ["the proof holds", *_lines(held.entry, held.checkpoint)]
    show(result, _text([*lines, *([f"cosigned by {', '.join(names)}"] if names else [])]), as_json=as_json)


def _entry(trail: Trail, what: str) -> Entry:
    from audit_pipeline.trail.recorded import first_of_each_kind

    index = entry_number(what)
    if index is not None:
        return trail.entry(index)
    name = what.removeprefix(BY_NAME)
    entries = tuple(trail.entries(name))
    if not entries:
        raise no_such_run(trail, name)
    found = first_of_each_kind(entries)
    return next((found[kind] for kind in _SPEAKS_FOR_A_RUN if kind in found), entries[-1])


def _told(entry: Entry, checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "index": entry.index,
        "run": entry.run,
        "origin": checkpoint.origin,
        "size": checkpoint.head.size,
        "root": checkpoint.head.root,
    }


def _lines(entry: Entry, checkpoint: Checkpoint) -> list[str]:
    from audit_pipeline.cli.log_lines import time_of
    from audit_pipeline.trail.summary import in_words

    return [
        f"entry {entry.index} of run {entry.run}, {time_of(entry.at)}: {in_words(entry)}",
        f"in the log {checkpoint.origin} of {checkpoint.head.size} entries",
    ]


def _text(lines: list[str]) -> str:
    from rich.markup import escape

    return escape("\n".join(lines))
