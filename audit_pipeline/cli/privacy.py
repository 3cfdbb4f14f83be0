"""`audit privacy`: what a model gives away about its training people, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, say, show
from audit_pipeline.cli.output import check_place, write_whole
from audit_pipeline.cli.search_screen import (
    AllowCodeOption,
    CacheOption,
    JobsOption,
    NoCacheOption,
    cache_folder,
    search_screen,
)
from audit_pipeline.cli.ship import EXIT_CODES, BaselineOption, ModelArgument, PolicyOption

if TYPE_CHECKING:
    from audit_pipeline.inputs import Inputs
    from audit_pipeline.privacy_audit import PrivacyAudit


def privacy(
    model: ModelArgument,
    policy: PolicyOption,
    baseline: BaselineOption = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the whole result here, as JSON.")] = None,
    also: Annotated[
        list[Path] | None,
        typer.Option("--also", help="Another file that ships, as firmware.bin: searched and judged with the model."),
    ] = None,
    cache: CacheOption = None,
    no_cache: NoCacheOption = False,
    jobs: JobsOption = 2,
    allow_code: AllowCodeOption = False,
    as_json: JsonFlag = False,
) -> None:
    """Make the candidate and attack it by the policy's privacy rules alone; no keys, no trail, no run folder.

    Exits 0 where every rule holds, 1 where one is broken, 3 where one could not be decided.
    """
    if out is not None:
        check_place(out)
    from audit_pipeline.cli.privacy_screen import render_privacy
    from audit_pipeline.inputs import read_inputs
    from audit_pipeline.privacy_audit import audit_privacy
    from audit_pipeline.privacy_stage import check_attacks
    from audit_pipeline.ship import make_candidate

    with search_screen(cache_folder(cache, no_cache=no_cache), jobs=jobs, allow_code=allow_code) as (progress, around):
        inputs = read_inputs(model, policy, baseline, progress, now=now())
        check_attacks(inputs, allow_code=allow_code)
        found = audit_privacy(inputs, make_candidate(inputs, progress, around), progress, around, also or ())
    document = _document(inputs, found)
    if out is not None:
        write_whole(out, json.dumps(document, indent=2).encode() + b"\n")
    show(document, render_privacy(found), as_json=as_json)
    if out is not None:
        say(f"wrote {out}")
    raise typer.Exit(EXIT_CODES[found.outcome.value])


def _document(inputs: Inputs, found: PrivacyAudit) -> dict[str, Any]:
    return {
        "model": inputs.source.part.file,
        "model_sha256": inputs.source.part.sha256,
        "policy": inputs.policy.value.name,
        "policy_sha256": inputs.policy.sha256,
        "data_sha256": inputs.population.part.sha256,
        "outcome": found.outcome.value,
        "findings": [finding.to_json() for finding in found.findings],
        "membership": [part.to_json() for part in found.membership],
        "privacy": found.privacy.to_json() if found.privacy else None,
        "blob_scan": found.blob_scan.to_json(),
        "source_scan": found.source_scan.to_json() if found.source_scan else None,
    }
