"""`audit log consistency` and `audit log anchor`: the log held against a checkpoint that was kept elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.log_trust_option import (
    LogKeyOption,
    WitnessesOption,
    WitnessOption,
    read_file,
    read_log_trust,
)
from audit_pipeline.cli.output import check_place, write_whole
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption


def consistency(
    old: Annotated[Path, typer.Argument(metavar="OLD_CHECKPOINT", help="A checkpoint of this log, kept elsewhere.")],
    trail: TrailOption = DEFAULT_TRAIL,
    log_key: LogKeyOption = None,
    witness: WitnessOption = None,
    witnesses: WitnessesOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Prove that the log only grew since a checkpoint, from a few rows (RFC 9162); exit 1 where it did not.

    The proof is over the tree: `audit log verify --checkpoint` recomputes the tree from the entries' text as well.
    """
    from rich.markup import escape

    from audit_pipeline.trail.log import Trail
    from audit_pipeline.trail.proving import extends, kept_checkpoint
    from audit_pipeline.trail.strict_base64 import encode

    trust, content = read_log_trust(log_key, witness, witnesses, None), read_file(old)
    with Trail.open(trail, create=False) as opened:
        before = kept_checkpoint(opened, content, trust, str(old))
        after, path = extends(opened, before, trust)
    result = {
        "holds": True,
        "origin": after.origin,
        "old": vars(before.head),
        "new": vars(after.head),
        "proof": [encode(node) for node in path],
    }
    text = (
        f"the log {after.origin} of {after.head.size} entries extends the checkpoint of {before.head.size}: "
        f"nothing before was changed, removed or moved\nroot {after.head.root}"
    )
    show(result, escape(text), as_json=as_json)


def anchor(
    file: Annotated[Path, typer.Argument(help="Where it is kept: in another repository, best the CI's own.")],
    trail: TrailOption = DEFAULT_TRAIL,
    log_key: LogKeyOption = None,
    witness: WitnessOption = None,
    witnesses: WitnessesOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Write the newest checkpoint to a file, having recomputed the log; the one in it moves forward only.

    Where the file holds an older checkpoint, the log must extend it; else exit 1, and the file stays as it was.
    """
    from rich.markup import escape

    from audit_pipeline.trail.anchoring import anchored
    from audit_pipeline.trail.log import Trail
    from audit_pipeline.trail.log_trust import Pinned

    check_place(file)
    held = Pinned(read_file(file), str(file)) if file.exists() else None
    trust = read_log_trust(log_key, witness, witnesses, None)
    with Trail.open(trail, create=False) as opened:
        moved = anchored(opened, held, trust)
    write_whole(file, moved.note.to_bytes())
    size, before = moved.checkpoint.head.size, moved.before.head.size if moved.before else None
    how = "written" if before is None else "as it was" if before == size else f"moved on from one of {before}"
    result = {"file": str(file), "origin": moved.checkpoint.origin, "size": size, "before_size": before}
    lines = (
        f"{file}: checkpoint of {size} entries of {moved.checkpoint.origin}, {how}",
        "keep it where the trail's keeper cannot write; audit gate and audit log verify take it with --checkpoint",
    )
    show(result, escape("\n".join(lines)), as_json=as_json)
