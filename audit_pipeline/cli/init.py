"""`audit init`: a policy and a manifest to fill in."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.output import write_whole
from audit_pipeline.errors import InputError

_FILES = ("fair.yaml", "dataset.yaml")


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write fair.yaml and dataset.yaml.")] = Path(),
    as_json: JsonFlag = False,
) -> None:
    """Write a policy and a data set manifest to fill in.

    The answers of the human-centred section are left empty: until a person gives them, the policy is refused.
    """
    taken = [name for name in _FILES if (folder / name).exists()]
    if taken:
        raise InputError(
            "init.exists",
            f"{' and '.join(taken)} would be overwritten",
            where=str(folder),
            hint="choose another folder: audit init DIR",
        )
    templates = resources.files("audit_pipeline.cli") / "templates"
    if folder.exists() and not folder.is_dir():
        raise InputError("init.not-a-folder", "this is not a folder", where=str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        write_whole(folder / name, (templates / name).read_bytes())
    written = [str(folder / name) for name in _FILES]
    steps = [
        f"describe your data in {written[1]}",
        f"answer the empty questions in {written[0]}",
        "audit keys new release ; audit keys new device --kind x25519",
        f"audit ship MODEL.h5 --policy {written[0]} --dry-run",
    ]
    text = "\n".join(["wrote " + " and ".join(written), "next:", *(f"  {n}. {s}" for n, s in enumerate(steps, 1))])
    show({"written": written, "next": steps}, text, as_json=as_json)
