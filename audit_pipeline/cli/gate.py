"""`audit gate`: the exit code that a release stands on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.ship import EXIT_CODES
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption
from audit_pipeline.cli.trust_option import RootOption, SignerOption, TrustOption, read_trust_options


def gate(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    signer: SignerOption = None,
    trust: TrustOption = None,
    root: RootOption = None,
    trail: TrailOption = DEFAULT_TRAIL,
    policy: Annotated[
        Path | None, typer.Option("--policy", "-p", help="Policy it must have been judged by; else the run's own.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Judge a run again from its bytes, attestations, image and log; exit as its verdict says.

    Neither the key nor the roots may come from the run. A trust file older than one that the trail knows is refused.
    """
    from rich.markup import escape

    from audit_pipeline.gate.judge import gate as judge
    from audit_pipeline.gate.judge import require_run

    require_run(run)
    believed = read_trust_options(signer, trust, root, trail=trail, now=now())
    gated = judge(run, believed.trust, trail, policy)
    verdict = gated.evidence.verdict
    checks = [*(f"trust file {check.what}" for check in believed.checks), *gated.checks]
    lines = [f"[green]✓[/] {escape(check)}" for check in checks]
    lines.append(f"[bold]{verdict.outcome}[/] {escape(gated.evidence.run.id)}")
    lines += [f"  {escape(reason)}" for reason in verdict.reasons]
    result = {
        "run": gated.evidence.run.id,
        "checks": checks,
        "verdict": verdict.model_dump(mode="json"),
        "released": gated.evidence.seal is not None,
    }
    show(result, "\n".join(lines), as_json=as_json)
    raise typer.Exit(EXIT_CODES[verdict.outcome.value])
