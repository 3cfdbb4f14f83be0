"""`audit compress`: only the candidate, by a recipe or by a search for one, and what it costs on the board."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, say, show
from audit_pipeline.cli.output import check_place, write_whole
from audit_pipeline.cli.search_screen import CacheOption, NoCacheOption, cache_folder, search_screen
from audit_pipeline.cli.ship import ModelArgument
from audit_pipeline.errors import ExitCode, InputError

if TYPE_CHECKING:
    from audit_pipeline.compress.candidate import Candidate
    from audit_pipeline.evidence import Footprint, SearchPart
    from audit_pipeline.policy.boards import Board
    from audit_pipeline.policy.recipe import Compress
    from audit_pipeline.progress import Progress
    from audit_pipeline.search.around import Around

_RANDOM_ROWS = 100


def compress(
    model: ModelArgument,
    policy: Annotated[
        Path | None, typer.Option("--policy", "-p", help="Policy whose recipe or search is carried out.")
    ] = None,
    random_calibration: Annotated[
        bool, typer.Option(help="Quantize to int8 with random numbers: right sizes, meaningless accuracy; no policy.")
    ] = False,
    board: Annotated[str, typer.Option(help="Board to measure against, where no policy names one.")] = "nucleo-l4r5zi",
    search: Annotated[
        bool, typer.Option("--search", help="Search for the smallest model, also where the policy has a recipe.")
    ] = False,
    trials: Annotated[int | None, typer.Option(help="Search: recipes that are tried.", min=1, max=1000)] = None,
    seconds: Annotated[int | None, typer.Option(help="Search: begin no recipe after this time.", min=1)] = None,
    epochs: Annotated[int | None, typer.Option(help="Search: of training, at most.", min=1, max=1000)] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the policy's seed.", min=0, max=(1 << 32) - 1)] = None,
    cache: CacheOption = None,
    no_cache: NoCacheOption = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the .tflite goes.")] = Path("model.tflite"),
    as_json: JsonFlag = False,
) -> None:
    """Make the candidate and measure it, without judging anybody; exit 1 if it does not fit the board."""
    asked = {
        key: value for key, value in (("trials", trials), ("seconds", seconds), ("epochs", epochs)) if value is not None
    }
    if (policy is None) != random_calibration:
        raise InputError(
            "compress.no-recipe",
            "either --policy or --random-calibration, and not both",
            hint="the policy gives recipe and data; --random-calibration stands in where only sizes matter",
        )
    if policy is None and (search or asked or seed is not None):
        raise InputError(
            "compress.needs-data", "a search needs data to choose by", hint="give a policy instead of random numbers"
        )
    check_place(output)
    if output.exists():
        raise InputError("compress.exists", "it would be overwritten", where=str(output), hint="give another --output")
    from audit_pipeline.device.footprint import measure
    from audit_pipeline.policy.boards import find_board

    with search_screen(cache_folder(cache, no_cache=no_cache)) as (progress, around):
        if policy is None:
            made = _at_random(model, find_board(board), progress)
        else:
            made = _by_policy(model, policy, _Wanted(search, asked, seed), progress, around)
        candidate, target = made.candidate, made.board
        footprint = measure(candidate, target.name, target.source, target.flash_kib << 10, target.ram_kib << 10)
    write_whole(output, candidate.tflite)
    result = {
        "output": str(output),
        "candidate": candidate.part.model_dump(mode="json"),
        "footprint": footprint.model_dump(mode="json"),
    }
    show(result, "\n".join(_lines(made, footprint)), as_json=as_json)
    say(f"wrote {output}")
    raise typer.Exit(ExitCode.PASS if footprint.fits else ExitCode.FAIL)


@dataclass(frozen=True)
class _Made:
    """A candidate, the board it is measured against, and the parameters of the model it was made from."""

    candidate: Candidate
    board: Board
    parameters: int


def _lines(made: _Made, footprint: Footprint) -> list[str]:
    from audit_pipeline.report.recipe import lines_of

    part = made.candidate.part
    arena = f"{footprint.arena_bytes:,}" if footprint.arena_bytes is not None else "not to be had"
    lines = [
        f"flash   {footprint.flash_bytes:>12,} bytes of {footprint.flash_limit:,}",
        f"arena   {arena:>12} bytes of {footprint.arena_limit:,}",
        f"MACs    {footprint.macs:>12,}",
        f"zipped  {part.zipped_bytes:>12,} bytes",
        f"{footprint.board}: {'fits' if footprint.fits else 'does not fit'}",
    ]
    lines += [f"no kernel in tflite-micro: {each.name}" for each in footprint.operators if not each.supported]
    for number, step in enumerate(lines_of(part.steps, made.parameters), 1):
        lines.append(f"{number}. {step.words}")
        lines += [f"   {said}" for said in (step.left, *step.notes) if said]
    return lines + (_search_lines(part.search) if part.search else [])


def _search_lines(part: SearchPart) -> list[str]:
    chosen = next(trial for trial in part.trials if trial.chosen)
    lines = [
        f"search: {len(part.trials)} recipes, groups measured {part.evaluation_passes} times on {part.chosen_by}",
        f"search: chose trial {chosen.number}, {chosen.label}: {chosen.reason}",
    ]
    if not part.complete:
        lines.append("search: the time limit ended it; what it found depends on how fast this machine is")
    if not part.keeps_rules:
        lines.append("search: what was chosen does NOT keep every fairness rule on these rows")
    return lines


def _at_random(model: Path, board: Board, progress: Progress) -> _Made:
    from audit_pipeline.compress.recipe import compress_on, random_rows
    from audit_pipeline.model.intake import inspect_model
    from audit_pipeline.policy.recipe import Compress, QuantizeStep
    from audit_pipeline.policy.steps import Quantize

    source = inspect_model(model)
    section = Compress(recipe=(QuantizeStep(quantize=Quantize()),))
    rows = random_rows(source, _RANDOM_ROWS, section.seed)
    candidate = compress_on(source, section, rows, "of random numbers", progress)
    return _Made(candidate, board, source.part.parameters)


@dataclass(frozen=True)
class _Wanted:
    """What the command line says of the compress section."""

    search: bool
    settings: dict[str, int]
    """Of a search, over the policy's."""
    seed: int | None

    def section(self, own: Compress | None) -> Compress | None:
        """The section that is carried out."""
        from audit_pipeline.policy.recipe import Compress, Search

        seed = own.seed if self.seed is None and own is not None else self.seed or 0
        settings = own.search if own is not None and own.search is not None else Search() if self.search else None
        if settings is not None:
            return Compress(search=settings.model_copy(update=self.settings), seed=seed)
        if self.settings:
            flags = ", ".join(f"--{name}" for name in self.settings)
            raise InputError("compress.not-a-search", f"{flags}: the policy gives a recipe", hint="add --search")
        return None if own is None else own.model_copy(update={"seed": seed})


def _by_policy(model: Path, policy: Path, wanted: _Wanted, progress: Progress, around: Around) -> _Made:
    from audit_pipeline.inputs import read_inputs
    from audit_pipeline.ship import make_candidate

    inputs = read_inputs(model, policy, None, progress, now=now())
    if (wanted.search or wanted.settings) and inputs.source.is_finished:
        raise InputError(
            "model.finished",
            "a .tflite is compressed already, there is nothing to search for",
            where=str(model),
            hint="give the .h5 or .keras that it was made from",
        )
    section = wanted.section(inputs.policy.value.compress)
    candidate = make_candidate(inputs, progress, around, section)
    return _Made(candidate, inputs.policy.board, inputs.source.part.parameters)
