"""Every error a person can meet, and the exit code each one ends in.

An error says three things: what happened, where (file, line, key), and what to do next. The command line prints
them and exits with `exit_code`; nothing below it prints or exits. `code` is a stable identifier (`policy.unknown-key`)
that scripts and tests may rely on; the wording may change.
"""

from __future__ import annotations

from enum import IntEnum
from functools import partial
from typing import Any


class ExitCode(IntEnum):
    """The contract between `audit` and whatever calls it."""

    PASS = 0
    FAIL = 1
    INPUT = 2
    INCONCLUSIVE = 3
    TOOL = 4


class AuditError(Exception):
    """Base of all expected errors. Use one of the three families below."""

    exit_code = ExitCode.TOOL

    def __init__(self, code: str, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        """Describe the error.

        Args:
            code: stable identifier, `stage.kind` in kebab case.
            what: what happened, one sentence without a full stop.
            where: file, `file:line`, key or byte offset; None where there is no place to point to.
            hint: what to do next; None where nothing helps.
        """
        super().__init__(what)
        self.code = code
        self.what = what
        self.where = where
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """As it passes from one process to another: with every field."""
        return partial(type(self), where=self.where, hint=self.hint), (self.code, self.what)

    def __str__(self) -> str:
        """Place and event on one line, as compilers print them."""
        return f"{self.where}: {self.what}" if self.where else self.what

    def to_json(self) -> dict[str, str | int | None]:
        """The error as `--json` prints it."""
        return {
            "code": self.code,
            "what": self.what,
            "where": self.where,
            "hint": self.hint,
            "exit_code": int(self.exit_code),
        }


class InputError(AuditError):
    """The policy, data, model, key or argument that was given cannot be used. Exit code 2."""

    exit_code = ExitCode.INPUT


class RejectedError(AuditError):
    """Something was checked and did not hold: a signature, a digest, a log. Exit code 1."""

    exit_code = ExitCode.FAIL


class ToolError(AuditError):
    """The tool or the machine under it failed: a full disk, a locked database, a kernel that crashed. Exit code 4."""

    exit_code = ExitCode.TOOL
