"""`audit log verify`: the log recomputed, and held against what was kept elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.log_trust_option import (
    CheckpointOption,
    LogKeyOption,
    WitnessesOption,
    WitnessOption,
    read_log_trust,
)
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption
from audit_pipeline.cli.trust_option import RootOption, TrustOption, read_trust_file

if TYPE_CHECKING:
    from audit_pipeline.trail.log_trust import LogChecked, LogTrust


_UNWITNESSED = (
    "nothing kept elsewhere was given (--checkpoint, --witness): whoever holds database and key could have rewritten "
    "the log whole"
)


def verify(
    trail: TrailOption = DEFAULT_TRAIL,
    trust: TrustOption = None,
    root: RootOption = None,
    checkpoint: CheckpointOption = None,
    log_key: LogKeyOption = None,
    witness: WitnessOption = None,
    witnesses: WitnessesOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Recompute every hash from the stored bytes; exit 1 at the first entry that was changed.

    Whoever holds the database and the log's key can rewrite both alike: only --checkpoint or --witness shows that. A
    trust file can name the log's key and witnesses instead, as to audit gate.
    """
    from rich.markup import escape

    from audit_pipeline.trail.log import Trail
    from audit_pipeline.trail.log_trust import check_log

    believed = read_trust_file(trust, root, trail=trail, now=now()) if trust or root else None
    document = believed.document if believed else None
    held_against = read_log_trust(log_key, witness, witnesses, checkpoint, document)
    with Trail.open(trail, create=False) as opened:
        checked = check_log(opened, held_against)
        taken_out = sum(1 for _ in opened.entries(kind="redaction"))
    marks = {True: "[green]✓[/]", False: "[yellow]–[/]"}
    lines = _checks(checked, held_against, taken_out)
    text = "\n".join(f"{marks[done]} {escape(what)}" for done, what in lines)
    show(_result(checked, lines), text, as_json=as_json)


def _checks(checked: LogChecked, trust: LogTrust, taken_out: int) -> list[tuple[bool, str]]:
    """What was checked, each line with whether it was: what nobody asked for is named as well."""
    head = checked.head
    lines = [
        (True, f"{_entries(head.size)}, every hash recomputed and equal: root {head.root}"),
        *([(True, f"{_entries(taken_out)} without text, each with a signed reason")] if taken_out else []),
        _signature(checked),
    ]
    if checked.key is not None:
        said = "the key is the one that was given" if trust.key else "the key is the log's own word (--log-key)"
        lines.append((trust.key is not None, said))
    if checked.remembered is not None:
        lines.append((True, f"it holds the {_entries(checked.remembered.size)} that its key remembers outside of it"))
    if checked.cosigned:
        names = ", ".join(key.name for key in checked.cosigned)
        lines.append((True, f"that checkpoint is cosigned by {names}"))
    if checked.pinned is not None:
        lines.append((True, f"it extends the pinned checkpoint of {_entries(checked.pinned.head.size)}"))
    if not (checked.cosigned or checked.pinned):
        lines.append((False, _UNWITNESSED))
    return lines


def _signature(checked: LogChecked) -> tuple[bool, str]:
    if checked.signed is None or checked.key is None:
        return False, "no checkpoint was signed yet: the next entry signs one"
    covered = checked.signed.head.size
    after = checked.head.size - covered
    later = f"; {_entries(after)} came after it" if after else ""
    return True, f"checkpoint of {_entries(covered)} signed by {checked.key.to_vkey()}{later}"


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


def _result(checked: LogChecked, lines: list[tuple[bool, str]]) -> dict[str, Any]:
    return {
        "size": checked.head.size,
        "root": checked.head.root,
        "verified": True,
        "key": checked.key.to_vkey() if checked.key else None,
        "signed_size": checked.signed.head.size if checked.signed else None,
        "cosigned_by": [key.to_vkey() for key in checked.cosigned],
        "remembered_size": checked.remembered.size if checked.remembered else None,
        "pinned_size": checked.pinned.head.size if checked.pinned else None,
        "checks": [{"state": "passed" if done else "not-checked", "what": what} for done, what in lines],
    }
