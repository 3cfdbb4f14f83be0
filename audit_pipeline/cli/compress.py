"""`audit compress`: only the candidate, and what it costs on the board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit_pipeline.cli.console import JsonFlag, progress_bar, say, show
from audit_pipeline.cli.output import check_place, write_whole
from audit_pipeline.cli.ship import ModelArgument
from audit_pipeline.errors import ExitCode, InputError

if TYPE_CHECKING:
    from audit_pipeline.compress.candidate import Candidate
    from audit_pipeline.policy.boards import Board
    from audit_pipeline.progress import Progress

_RANDOM_ROWS = 100


def compress(
    model: ModelArgument,
    policy: Annotated[Path | None, typer.Option("--policy", "-p", help="Policy whose recipe is carried out.")] = None,
    random_calibration: Annotated[
        bool, typer.Option(help="Quantize to int8 with random numbers: right sizes, meaningless accuracy; no policy.")
    ] = False,
    board: Annotated[str, typer.Option(help="Board to measure against, where no policy names one.")] = "nucleo-l4r5zi",
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the .tflite goes.")] = Path("model.tflite"),
    as_json: JsonFlag = False,
) -> None:
    """Make the candidate and measure it, without judging anybody; exit 1 if it does not fit the board."""
    if (policy is None) != random_calibration:
        raise InputError(
            "compress.no-recipe",
            "either --policy or --random-calibration, and not both",
            hint="the policy gives recipe and data; --random-calibration stands in where only sizes matter",
        )
    check_place(output)
    if output.exists():
        raise InputError("compress.exists", "it would be overwritten", where=str(output), hint="give another --output")
    from audit_pipeline.device.footprint import measure
    from audit_pipeline.policy.boards import find_board

    with progress_bar() as progress:
        if policy is None:
            candidate, target = _at_random(model, progress), find_board(board)
        else:
            candidate, target = _by_policy(model, policy, progress)
        footprint = measure(candidate, target.name, target.source, target.flash_kib << 10, target.ram_kib << 10)
    write_whole(output, candidate.tflite)
    arena = f"{footprint.arena_bytes:,}" if footprint.arena_bytes is not None else "not to be had"
    lines = [
        f"flash   {footprint.flash_bytes:>12,} bytes of {footprint.flash_limit:,}",
        f"arena   {arena:>12} bytes of {footprint.arena_limit:,}",
        f"MACs    {footprint.macs:>12,}",
        f"zipped  {candidate.part.zipped_bytes:>12,} bytes",
        f"{target.name}: {'fits' if footprint.fits else 'does not fit'}",
    ]
    lines += [f"no kernel in tflite-micro: {each.name}" for each in footprint.operators if not each.supported]
    lines += [f"note: {note}" for step in candidate.part.steps for note in step.notes]
    result = {
        "output": str(output),
        "candidate": candidate.part.model_dump(mode="json"),
        "footprint": footprint.model_dump(mode="json"),
    }
    show(result, "\n".join(lines), as_json=as_json)
    say(f"wrote {output}")
    raise typer.Exit(ExitCode.PASS if footprint.fits else ExitCode.FAIL)


def _at_random(model: Path, progress: Progress) -> Candidate:
    from audit_pipeline.compress.recipe import compress_on, random_rows
    from audit_pipeline.model.intake import inspect_model
    from audit_pipeline.policy.recipe import Compress, Quantize, QuantizeStep

    source = inspect_model(model)
    section = Compress(recipe=(QuantizeStep(quantize=Quantize()),))
    return compress_on(source, section, random_rows(source, _RANDOM_ROWS, section.seed), "of random numbers", progress)


def _by_policy(model: Path, policy: Path, progress: Progress) -> tuple[Candidate, Board]:
    from audit_pipeline.inputs import read_inputs
    from audit_pipeline.ship import make_candidate

    inputs = read_inputs(model, policy, None, progress)
    return make_candidate(inputs, progress), inputs.policy.board
