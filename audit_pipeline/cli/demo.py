"""`audit demo`: a synthetic population, a small model, one policy that refuses it and one that ships it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, progress_bar, show
from audit_pipeline.errors import InputError, ToolError

if TYPE_CHECKING:
    from audit_pipeline.progress import Progress
    from audit_pipeline.ship import Shipped

_MARK = ".made-by-audit-demo"
_SEED = 1
_PASSPHRASE = "demo"  # noqa: S105 - these keys protect nothing
_POLICIES = ("too-hard", "holds")


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for everything the demo makes.")] = Path("audit-demo"),
    replace: Annotated[bool, typer.Option("--replace", help="Remove what an earlier demo left there.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make a synthetic population, train a model, and ship it twice: refused, then sealed."""
    _clear(out, replace=replace)
    with progress_bar() as progress:
        _prepare(out, progress)
        refused, sealed = (_ship(out, policy, progress) for policy in _POLICIES)
    from audit_pipeline.cli.demo_screen import render_demo

    summary: dict[str, Any] = {
        run.evidence.run.id: {"outcome": run.evidence.verdict.outcome.value, "folder": str(run.folder)}
        for run in (refused, sealed)
    }
    show(summary, render_demo(refused.evidence, sealed.evidence, out, _program()), as_json=as_json)
    outcomes = tuple(run.evidence.verdict.outcome.value for run in (refused, sealed))
    if outcomes != ("FAIL", "PASS"):
        raise ToolError(
            "demo.unexpected",
            f"the demo ended in {outcomes[0]} and {outcomes[1]}, it is told as FAIL and PASS",
            where=str(out),
            hint="nothing is arranged to make it so; report it with the two evidence.json",
        )


def _program() -> str:
    """How to start this very program again: by its name where that is found, by its path in a virtual environment."""
    return "audit" if shutil.which("audit") else sys.argv[0]


def _clear(out: Path, *, replace: bool) -> None:
    if out.exists() and not out.is_dir():
        raise InputError("demo.not-a-folder", "this is not a folder", where=str(out))
    if out.exists() and any(out.iterdir()):
        if not (replace and (out / _MARK).exists()):
            raise InputError(
                "demo.exists",
                "this folder is not empty",
                where=str(out),
                hint="choose another with --out, or add --replace if an earlier demo made it",
            )
        shutil.rmtree(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / _MARK).touch()
    except OSError as error:
        raise InputError("demo.not-writable", f"cannot write: {error.strerror}", where=str(out)) from error


def _prepare(out: Path, progress: Progress) -> None:
    from importlib import resources

    from audit_pipeline.demo.model import train
    from audit_pipeline.demo.population import write_population
    from audit_pipeline.seal.keys.load import new_key

    progress("generating the synthetic population", 0.0)
    write_population(out, seed=_SEED)
    progress("generating the synthetic population", 1.0)
    train(out, seed=_SEED, progress=progress)
    (out / "keys").mkdir()
    new_key("ed25519", out / "keys" / "release", _PASSPHRASE.encode())
    new_key("x25519", out / "keys" / "device", _PASSPHRASE.encode())
    for policy in _POLICIES:
        name = f"{policy}.yaml"
        (out / name).write_bytes((resources.files("audit_pipeline.demo") / name).read_bytes())


def _ship(out: Path, policy: str, progress: Progress) -> Shipped:
    from audit_pipeline.ship import Request, ship

    request = Request(
        command="demo",
        run=policy,
        model=out / "model.h5",
        policy=out / f"{policy}.yaml",
        baseline=None,
        reports=out / "runs",
        trail=str(out / "audit.db"),
        seals=True,
    )

    def told(step: str, done: float) -> None:
        progress(f"{policy}: {step}", done)

    return ship(request, now=now, passphrase=lambda _: _PASSPHRASE.encode(), progress=told)
