"""`audit canaries`: plant rows whose memory in a model proves how much the model leaks."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, progress_bar, show

app = typer.Typer(help="Plant rows in a training set that show later how much a model keeps.", no_args_is_help=True)

_SHOWN_LEVEL = 0.95


@app.callback()
def _family() -> None:
    """Keeps `plant` a command of its own while it is the only one."""


@app.command("plant")
def plant(
    manifest: Annotated[Path, typer.Argument(help="The data set's manifest; the data set itself stays as it is.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to make: the data set to train on, and the record.")],
    count: Annotated[int, typer.Option("--count", "-m", help="How many training rows become canaries.")] = 1000,
    guesses: Annotated[
        int | None, typer.Option(help="Coins to guess later, an even number; otherwise nearly all, by the count.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="For a repeatable draw; whoever knows it knows the coins.", min=0)
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Give training rows a wrong label, keep each by a fair coin, and record the coins.

    Train the model on the new data set as you would on the old, then name the record in the policy:
    privacy: [{attack: canaries, record: FILE, max_epsilon: E}]. Whoever trains must not see the record.
    """
    from audit_pipeline.data.rewrite import MANIFEST
    from audit_pipeline.planting.folder import check_folder, write_folder
    from audit_pipeline.planting.plant import plant as draw
    from audit_pipeline.privacy.one_run import ceiling

    check_folder(out)
    with progress_bar() as progress:
        chance = secrets.randbits(128) if seed is None else seed
        planted = draw(manifest, count, guesses=guesses, seed=chance, now=now(), progress=progress)
    record = write_folder(out, planted)
    most = ceiling(planted.canaries, planted.guesses, delta=0.0, level=_SHOWN_LEVEL)
    result = {
        "manifest": str(out / MANIFEST),
        "record": str(record),
        "canaries": planted.canaries,
        "left_out": planted.left_out,
        "guesses": planted.guesses,
        "train_rows": planted.train_rows,
        "largest_epsilon": most,
    }
    lines = (
        f"{out / MANIFEST}: {planted.train_rows:,} training rows, with those of {planted.canaries:,} canaries in them "
        "whose coin said so",
        f"{record}: the coins; keep this folder from whoever trains",
        f"{planted.guesses:,} guesses, all of them right, would prove an epsilon of {most:.2f} (95 % confidence)",
        "next:",
        "  1. train the model on the new data set",
        f"  2. in its policy: privacy: [{{attack: canaries, record: {record}, max_epsilon: …}}]",
    )
    show(result, "\n".join(lines), as_json=as_json)
