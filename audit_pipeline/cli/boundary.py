"""The one boundary where what went wrong becomes a message and an exit code; nothing passes it as a traceback."""

from __future__ import annotations

import errno
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

import typer

from audit_pipeline.cli.console import show_error
from audit_pipeline.errors import AuditError, ExitCode, InputError, ToolError

# Typer carries its own copy of click and exports only the leaf class; its base is what every usage error is.
_UsageError: Any = typer.BadParameter.__mro__[2]
_TYPER_INTERRUPTED = 130
_WRONG_PATH = {
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EACCES,
    errno.EPERM,
    errno.ELOOP,
    errno.EROFS,
}


def run_guarded(command: Callable[[], Any], *, as_json: bool) -> int:
    """Carry out a command and give the exit code of the contract, having told what went wrong.

    Args:
        command: gives its exit code, or None for 0.
        as_json: whether errors are printed as JSON too.
    """
    prepare_streams()
    try:
        code = _carry_out(command, as_json=as_json)
        sys.stdout.flush()
    except (OSError, ValueError, SystemExit):
        # Nobody reads stdout any more, or its disk is full: a result that did not arrive is not a pass.
        code = ExitCode.TOOL
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the interpreter's own last flush
    return int(code)


def prepare_streams() -> None:
    """Make streams that take whatever is written: closed ones swallow it, narrow encodings escape it."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _carry_out(command: Callable[[], Any], *, as_json: bool) -> int:
    try:
        code = int(command() or 0)
        error: AuditError | None = _interrupted() if code == _TYPER_INTERRUPTED else None
    except AuditError as caught:
        error = caught
    except _UsageError as caught:
        typed = caught.ctx.command_path if caught.ctx is not None else "audit"
        error = InputError("usage", caught.format_message(), hint=f"see `{typed} --help`")
    except (KeyboardInterrupt, typer.Abort):
        error = _interrupted()
    except BrokenPipeError:
        raise
    except OSError as caught:
        error = _refused_by_the_system(caught)
    except Exception as caught:
        error = _defect(caught)
    if error is None:
        return code
    show_error(error, as_json=as_json)
    return int(error.exit_code)


def stop_like_the_keyboard() -> None:
    """Let SIGTERM, with which CI ends a job, break off as Ctrl-C does, so that the trail learns of it."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def _interrupted() -> ToolError:
    return ToolError("interrupted", "stopped from outside; nothing was left half-written")


def _refused_by_the_system(error: OSError) -> AuditError:
    where = os.fsdecode(error.filename)[:256] if isinstance(error.filename, str | bytes) else None
    what = error.strerror or str(error)
    if error.errno in _WRONG_PATH and where:
        return InputError("path", f"this path cannot be used: {what}", where=where, hint="check the path")
    return ToolError("system", f"the system refused: {what}", where=where)


def _defect(error: Exception) -> ToolError:
    """An error nobody foresaw: its traceback goes to a file, not to the user."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="audit-", suffix=".traceback", delete=False, errors="backslashreplace"
    ) as stream:
        traceback.print_exception(error, file=stream)
    return ToolError(
        "defect",
        f"a defect of audit itself: {type(error).__name__}",
        hint=f"report it with the traceback in {stream.name}",
    )
