"""The `audit` command and its families."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from audit_pipeline import __version__
from audit_pipeline.cli import (
    approve,
    canaries,
    compress,
    demo,
    diff,
    gate,
    image,
    incident,
    init,
    keys,
    keys_list,
    keys_trust,
    log,
    log_consistency,
    log_export,
    log_prove,
    log_redact,
    log_show,
    log_verify,
    log_witness,
    privacy,
    release,
    report,
    revoke,
    ship,
    waive,
)
from audit_pipeline.cli.boundary import run_guarded, stop_like_the_keyboard

app = typer.Typer(
    name="audit",
    help="Ship a model to a microcontroller only if it still works for every population group.",
    epilog="Exit codes: 0 pass, 1 the gate failed, 2 usage or input, 3 inconclusive, 4 the tool itself failed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"audit {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Options of every command."""


app.command("init")(init.init)
app.command("ship")(ship.ship)
app.command("evaluate")(ship.evaluate)
app.command("compress")(compress.compress)
app.command("privacy")(privacy.privacy)
app.add_typer(canaries.app, name="canaries")
app.command("gate")(gate.gate)
app.command("approve")(approve.approve)
app.command("waive")(waive.waive)
app.command("incident")(incident.incident)
app.command("revoke")(revoke.revoke)
app.command("release")(release.release)
app.command("diff")(diff.diff)
app.command("verify")(image.verify)
app.command("inspect")(image.inspect)
app.command("report")(report.report)
app.command("schema")(report.schema)
app.command("demo")(demo.demo)
keys.app.command("list")(keys_list.list_)
keys.app.command("rotate")(keys_trust.rotate)
keys.app.command("revoke")(keys_trust.revoke)
keys.app.add_typer(keys_trust.trust_app, name="trust")
app.add_typer(keys.app, name="keys")
log.app.command("show")(log_show.show_)
log.app.command("verify")(log_verify.verify)
log.app.command("prove")(log_prove.prove)
log.app.command("check-proof")(log_prove.check_proof)
log.app.command("consistency")(log_consistency.consistency)
log.app.command("redact")(log_redact.redact)
log.app.command("clock")(log_redact.clock)
log.app.command("export")(log_export.export)
log.app.command("anchor")(log_consistency.anchor)
log.app.add_typer(log_witness.app, name="witness")
app.add_typer(log.app, name="log")


def main(arguments: list[str] | None = None) -> None:
    """Run `audit` and leave with the exit code of the contract.

    Args:
        arguments: without the program's name; the process's own where None.
    """
    if arguments is None:
        stop_like_the_keyboard()
    given = sys.argv[1:] if arguments is None else arguments
    sys.exit(run_guarded(lambda: app(given, standalone_mode=False, prog_name="audit"), as_json="--json" in given))
