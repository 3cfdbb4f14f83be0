"""`audit ship` and `audit evaluate`: a whole run, with and without the seal."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit_pipeline.cli.clock import new_run_name, now
from audit_pipeline.cli.console import JsonFlag, progress_bar, say, show
from audit_pipeline.cli.next_steps import demanded_approvals, say_after_refusal, say_next_steps
from audit_pipeline.cli.passphrase import PassphraseFd, read_passphrase
from audit_pipeline.cli.search_screen import (
    AllowCodeOption,
    CacheOption,
    JobsOption,
    NoCacheOption,
    cache_folder,
    search_screen,
)
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption
from audit_pipeline.errors import ExitCode
from audit_pipeline.trail.place import Place

if TYPE_CHECKING:
    from audit_pipeline.inputs import Inputs
    from audit_pipeline.policy.recipe import Compress
    from audit_pipeline.progress import Progress
    from audit_pipeline.search.around import Around
    from audit_pipeline.ship import Shipped

ModelArgument = Annotated[Path, typer.Argument(help="A trained model: .h5, .keras, a SavedModel folder or a .tflite.")]
PolicyOption = Annotated[Path, typer.Option("--policy", "-p", help="The policy that must hold.")]
BaselineOption = Annotated[
    Path | None, typer.Option("--baseline", help="The float model behind a finished .tflite, to compare with.")
]
ReportsOption = Annotated[Path, typer.Option("--reports", help="Folder that the run's folder is put in.")]
RunOption = Annotated[str | None, typer.Option("--run", help="Name of the run; otherwise time and policy name it.")]


def ship(
    model: ModelArgument,
    policy: PolicyOption,
    baseline: BaselineOption = None,
    reports: ReportsOption = Path("reports"),
    trail: TrailOption = DEFAULT_TRAIL,
    run: RunOption = None,
    passphrase_fd: PassphraseFd = None,
    cache: CacheOption = None,
    no_cache: NoCacheOption = False,
    jobs: JobsOption = 2,
    allow_code: AllowCodeOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every input, print the plan, do nothing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Compress, compare, audit, and seal the model if the policy holds for everybody."""
    if dry_run:
        _plan(model, policy, baseline, allow_code=allow_code, as_json=as_json)
        return
    screen = search_screen(cache_folder(cache, no_cache=no_cache), jobs=jobs, allow_code=allow_code)
    _run("ship", model, policy, baseline, reports, trail, run, passphrase_fd, screen, as_json=as_json)


def evaluate(
    model: ModelArgument,
    policy: PolicyOption,
    baseline: BaselineOption = None,
    reports: ReportsOption = Path("reports"),
    trail: TrailOption = DEFAULT_TRAIL,
    run: RunOption = None,
    cache: CacheOption = None,
    no_cache: NoCacheOption = False,
    jobs: JobsOption = 2,
    allow_code: AllowCodeOption = False,
    as_json: JsonFlag = False,
) -> None:
    """Do all that ship does, but never seal: no keys are needed, and no image is made."""
    screen = search_screen(cache_folder(cache, no_cache=no_cache), jobs=jobs, allow_code=allow_code)
    _run("evaluate", model, policy, baseline, reports, trail, run, None, screen, as_json=as_json)


def _run(
    command: str,
    model: Path,
    policy: Path,
    baseline: Path | None,
    reports: Path,
    trail: Place,
    run: str | None,
    passphrase_fd: int | None,
    screen: AbstractContextManager[tuple[Progress, Around]],
    *,
    as_json: bool,
) -> None:
    from audit_pipeline.ship import Request
    from audit_pipeline.ship import ship as carry_out

    request = Request(
        command=command,
        run=run or new_run_name(policy.stem),
        model=model,
        policy=policy,
        baseline=baseline,
        reports=reports,
        trail=trail,
        seals=command == "ship",
    )
    with screen as (progress, around):
        shipped = carry_out(
            request,
            now=now,
            passphrase=lambda key: read_passphrase(passphrase_fd, purpose=str(key)),
            progress=progress,
            around=around,
        )
    show_shipped(shipped, trail, as_json=as_json)
    raise typer.Exit(EXIT_CODES[shipped.evidence.verdict.outcome.value])


EXIT_CODES = {"PASS": ExitCode.PASS, "FAIL": ExitCode.FAIL, "INCONCLUSIVE": ExitCode.INCONCLUSIVE}


def show_shipped(shipped: Shipped, trail: Place, *, as_json: bool) -> None:
    """The result of a run: its summary, and where everything lies."""
    from audit_pipeline.report.terminal import render_terminal

    evidence = shipped.evidence
    summary: dict[str, Any] = {
        "run": evidence.run.id,
        "folder": str(shipped.folder),
        "verdict": evidence.verdict.model_dump(mode="json"),
        "image": str(shipped.folder / "firmware.bin") if evidence.seal else None,
        "approvals_demanded": demanded_approvals(evidence),
        "findings": [finding.model_dump(mode="json") for finding in evidence.findings],
    }
    show(summary, render_terminal(evidence), as_json=as_json)
    say(f"report: {shipped.folder / 'report.html'}")
    if evidence.seal:
        say(f"image:  {shipped.folder / 'firmware.bin'}")
        say_next_steps(evidence, shipped.folder, trail)
    elif evidence.run.command == "ship":
        say_after_refusal(evidence, shipped.folder, trail)


def _plan(model: Path, policy: Path, baseline: Path | None, *, allow_code: bool, as_json: bool) -> None:
    from audit_pipeline.inputs import read_inputs
    from audit_pipeline.privacy_stage import check_attacks
    from audit_pipeline.report.attacker import attacker_in_words
    from audit_pipeline.seal_keys import check_keys

    with progress_bar() as progress:
        inputs = read_inputs(model, policy, baseline, progress, now=now())
    check_attacks(inputs, allow_code=True)
    check_keys(inputs.policy)
    plan = _plan_document(inputs) | attacker_in_words(inputs.policy.value.privacy, allow_code=allow_code)
    lines = [
        f"{key if number == 0 else '':<12} {line}"
        for key, value in plan.items()
        for number, line in enumerate(value if isinstance(value, list) else [value])
    ]
    show(plan, "\n".join([*lines, "nothing was written: this was a dry run"]), as_json=as_json)


def _plan_document(inputs: Inputs) -> dict[str, Any]:
    policy = inputs.policy
    source = inputs.source.part
    population = inputs.population
    return {
        "policy": f"{policy.path.name} sha256:{policy.sha256[:16]}…",
        "model": f"{source.file} {source.format} {source.parameters:,} parameters",
        "data": f"{population.part.name}: {len(population.train):,} rows train, {len(population.evaluation):,} judge",
        "board": f"{policy.board.name} {policy.board.flash_kib} KiB flash, {policy.board.ram_kib} KiB RAM",
        **({"recipe": ["as it is (a finished .tflite)"]} if inputs.source.is_finished else _way(policy.value.compress)),
        "rules": f"{len(policy.value.fairness)} of fairness, {len(policy.value.privacy_rules)} of privacy",
        "seal": f"signed by {policy.value.seal.signer}" if policy.value.seal else "no seal section: nothing is sealed",
    }


def _way(section: Compress | None) -> dict[str, list[str]]:
    """How the candidate is to be made: its steps in words, or what the search is told."""
    from audit_pipeline.report.techniques import search_in_words, settings_in_words

    if section is None:
        return {}
    if section.search is not None:
        return {"search": list(search_in_words(section.search))}
    steps = (item for step in section.recipe or () for item in step.model_dump(mode="json").items())
    return {"recipe": [f"{name}: {', '.join(settings_in_words(name, settings))}" for name, settings in steps]}
