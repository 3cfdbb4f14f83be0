"""`audit incident`: what a release did in the field that it should not have, and who answers for it."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.passphrase import PassphraseFd
from audit_pipeline.cli.reviewer import ReasonOption, ReleaseArgument, command, open_signer, run_name
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption


class Kind(StrEnum):
    """What went wrong."""

    FALSE_ALARM = "false-alarm"
    MISSED_ALARM = "missed-alarm"


def incident(
    run: ReleaseArgument,
    kind: Annotated[Kind, typer.Option("--kind", help="What went wrong.")],
    group: Annotated[
        str, typer.Option("--group", help="Whom it happened to, as the report names groups: sex=female, overall.")
    ],
    reason: ReasonOption,
    key: Annotated[
        str | None, typer.Option("--key", help="Private key of who reports; without, the report is unsigned.")
    ] = None,
    trail: TrailOption = DEFAULT_TRAIL,
    passphrase_fd: PassphraseFd = None,
    as_json: JsonFlag = False,
) -> None:
    """Record a false or a missed alarm of a release in the field, and say who answers for it by its policy."""
    from rich.markup import escape

    from audit_pipeline.review.reporting import prepare_incident
    from audit_pipeline.seal.keys.forms import fingerprint

    name = run_name(run)
    reporting = prepare_incident(name, kind=kind.value, group=group, reason=reason, trail=trail, at=now())
    signer = open_signer(key, passphrase_fd) if key is not None else None
    entered = reporting.enter(signer, trail)
    said, evaluated = reporting.incident, _was_evaluated(run, group)
    counts = Counter(each.incident.kind for each in entered.so_far)
    so_far = ", ".join(f"{number} of kind {each}" for each, number in counts.items())
    signed_by = ("--reason", '"…"', "--key", "KEY")
    step = command("revoke", run, *signed_by, trail=trail)
    taken_out = command("log", "redact", str(entered.index), *signed_by, trail=trail)
    forbidden = "; ".join(reporting.never_record) or "a person's data"
    lines = [
        f"{said.kind.replace('-', ' ')} of run {name}, {group}: entry {entered.index} of the trail, "
        + ("signed" if signer else "unsigned: it proves that somebody wrote it, no more"),
        *([f"the evaluation never looked at {group}"] if evaluated is False else []),
        f"answers for it by the policy: {said.answers or 'not on record any more'}",
        *([f"can stop the device: {reporting.who_can_stop}"] if reporting.who_can_stop else []),
        f"incidents of this run so far: {so_far}",
        f"next, where the release must not go on: {step}",
        f"next, where the report holds what it must not ({forbidden}): {taken_out}",
    ]
    result = {
        "entry": entered.index,
        "run": name,
        "kind": said.kind,
        "group": group,
        "signed": signer is not None,
        "signer": fingerprint(signer.public) if signer else None,
        "evaluated": evaluated,
        "answers": said.answers,
        "who_can_stop": reporting.who_can_stop,
        "so_far": dict(counts),
        "never_record": list(reporting.never_record),
        "next": [step, taken_out],
    }
    show(result, escape("\n".join(lines)), as_json=as_json)


def _was_evaluated(run: str, group: str) -> bool | None:
    """Whether the run's evidence has the group in its table; None where there is only a name."""
    from audit_pipeline.report.evidence_file import load_evidence
    from audit_pipeline.run_folder import EVIDENCE

    folder = Path(run)
    if not folder.is_dir():
        return None
    return any(row.group.label == group for row in load_evidence(folder / EVIDENCE).groups)
