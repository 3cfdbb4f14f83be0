"""`audit log export`: the log as a folder or file that others check without this tool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.log_trust_option import (
    CheckpointOption,
    LogKeyOption,
    WitnessesOption,
    WitnessOption,
    read_log_trust,
)
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption


def export(
    place: Annotated[Path, typer.Argument(metavar="DIR|FILE.tar", help="Where to write it; nothing may be there yet.")],
    trail: TrailOption = DEFAULT_TRAIL,
    checkpoint: CheckpointOption = None,
    log_key: LogKeyOption = None,
    witness: WitnessOption = None,
    witnesses: WitnessesOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Write entries, signed checkpoint, and a checker in plain Python with instructions; nothing of it needs this tool.

    All entries are in it as they are, with their reasons: who gets it may read them.
    """
    from rich.markup import escape

    from audit_pipeline.trail.export import CHECKER, HOW_TO, check_export_place
    from audit_pipeline.trail.export import export as write
    from audit_pipeline.trail.log import Trail

    check_export_place(place)
    trust = read_log_trust(log_key, witness, witnesses, checkpoint)
    with Trail.open(trail, create=False) as opened:
        exported = write(opened, place, trust)
    head = exported.checkpoint.head
    result = {
        "place": str(place),
        "origin": exported.checkpoint.origin,
        "size": head.size,
        "root": head.root,
        "vkey": exported.vkey,
    }
    lines = (
        f"{place}: {head.size} entries of {exported.checkpoint.origin}, root {head.root}",
        f"{HOW_TO} in it says how to check it: python3 -I {CHECKER} --log-key KEY",
        "give the key on another way than the export:",
        exported.vkey,
    )
    show(result, escape("\n".join(lines)), as_json=as_json)
