"""The `audit` command: its families, and the one boundary where errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from typing import Annotated, Any

import typer

from audit_pipeline import __version__
from audit_pipeline.cli import compress, demo, gate, image, init, keys, log, report, ship
from audit_pipeline.cli.console import show_error
from audit_pipeline.errors import AuditError, ExitCode, InputError, ToolError

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
app.command("gate")(gate.gate)
app.command("verify")(image.verify)
app.command("inspect")(image.inspect)
app.command("report")(report.report)
app.command("schema")(report.schema)
app.command("demo")(demo.demo)
app.add_typer(keys.app, name="keys")
app.add_typer(log.app, name="log")

# Typer carries its own copy of click and exports only the leaf class; its base is what every usage error is.
_UsageError: Any = typer.BadParameter.__mro__[2]


def main(arguments: list[str] | None = None) -> None:
    """Run `audit` and leave with the exit code of the contract.

    Args:
        arguments: without the program's name; the process's own where None.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in arguments
    try:
        code = app(arguments, standalone_mode=False, prog_name="audit")
    except AuditError as error:
        show_error(error, as_json=as_json)
        code = error.exit_code
    except _UsageError as error:
        usage = InputError("usage", error.format_message(), hint="see `audit --help` or `audit COMMAND --help`")
        show_error(usage, as_json=as_json)
        code = usage.exit_code
    except (KeyboardInterrupt, typer.Abort):
        show_error(ToolError("interrupted", "stopped by the keyboard; nothing was left half-written"), as_json=as_json)
        code = ExitCode.TOOL
    except BrokenPipeError:
        # The reader left (`audit log | head`): what it wanted it has. Keep Python from flushing into the void.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.PASS
    except Exception as error:
        show_error(_defect(error), as_json=as_json)
        code = ExitCode.TOOL
    sys.exit(int(code or 0))


def _defect(error: Exception) -> ToolError:
    """An error nobody foresaw: its traceback goes to a file, not to the user."""
    with tempfile.NamedTemporaryFile("w", prefix="audit-", suffix=".traceback", delete=False) as stream:
        traceback.print_exception(error, file=stream)
    return ToolError(
        "defect",
        f"a defect of audit itself: {type(error).__name__}: {error}",
        hint=f"report it with the traceback in {stream.name}",
    )
