"""`audit gate`: the exit code that a release stands on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.log_trust_option import (
    CheckpointOption,
    LogKeyOption,
    WitnessesOption,
    WitnessOption,
    read_log_trust,
)
from audit_pipeline.cli.ship import EXIT_CODES
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption
from audit_pipeline.cli.trust_option import RootOption, SignerOption, TrustOption, read_trust_options

if TYPE_CHECKING:
    from audit_pipeline.gate.judge import Gated

_MARKS = {"checked": "[green]✓[/]", "not demanded": "[yellow]–[/]", "warning": "[yellow]![/]"}


def gate(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    signer: SignerOption = None,
    trust: TrustOption = None,
    root: RootOption = None,
    trail: TrailOption = DEFAULT_TRAIL,
    policy: Annotated[
        Path | None, typer.Option("--policy", "-p", help="Policy it must have been judged by; else the run's own.")
    ] = None,
    log_key: LogKeyOption = None,
    witness: WitnessOption = None,
    witnesses: WitnessesOption = None,
    checkpoint: CheckpointOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Judge a run again from its bytes, attestations, image, approvals, waivers and log; exit as its verdict says.

    Neither the key nor the roots may come from the run. A trust file older than one that the trail knows is refused.
    What was not asked for is listed too: a trust file can name approvers, the log's key and its witnesses.
    """
    from audit_pipeline.gate.demands import Demands
    from audit_pipeline.gate.judge import gate as judge
    from audit_pipeline.gate.judge import require_run
    from audit_pipeline.people.approvers import live_approvers

    require_run(run)
    at = now()
    believed = read_trust_options(signer, trust, root, trail=trail, now=at)
    demands = Demands(
        trust=believed.trust,
        now=at,
        approvers=live_approvers(believed.document, at) if believed.document else {},
        log=read_log_trust(log_key, witness, witnesses, checkpoint, believed.document),
        policy=policy,
    )
    gated = judge(run, trail, demands)
    checks = (*(f"trust file {check.what}" for check in believed.checks), *gated.told.checks)
    show(_result(gated, checks), _lines(gated, checks), as_json=as_json)
    raise typer.Exit(EXIT_CODES[gated.evidence.verdict.outcome.value])


def _result(gated: Gated, checks: tuple[str, ...]) -> dict[str, Any]:
    evidence = gated.evidence
    return {
        "run": evidence.run.id,
        "checks": list(checks),
        "not_demanded": list(gated.told.not_demanded),
        "warnings": list(gated.told.warnings),
        "approved": {role: list(keys) for role, keys in gated.approved.items()},
        "waivers": [waiver.model_dump(mode="json") for waiver in evidence.waivers],
        "verdict": evidence.verdict.model_dump(mode="json"),
        "released": evidence.seal is not None,
    }


def _lines(gated: Gated, checks: tuple[str, ...]) -> str:
    from rich.markup import escape

    told = {"checked": checks, "not demanded": gated.told.not_demanded, "warning": gated.told.warnings}
    lines = [f"{_MARKS[kind]} {kind:<12} {escape(line)}" for kind, said in told.items() for line in said]
    verdict = gated.evidence.verdict
    waived = ", under waivers" if gated.evidence.waivers else ""
    lines.append(f"[bold]{verdict.outcome}[/]{waived} {escape(gated.evidence.run.id)}")
    lines += [f"  {escape(reason)}" for reason in (*verdict.reasons, *(use.reason for use in verdict.waived))]
    return "\n".join(lines)
