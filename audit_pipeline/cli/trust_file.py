"""The trust file as an argument of those who maintain it: where it usually is, and what its last day asks of them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit_pipeline.errors import InputError

if TYPE_CHECKING:
    from audit_pipeline.seal.trust.schema import TrustDocument
    from audit_pipeline.strict_yaml import Loaded

FileArgument = Annotated[Path, typer.Argument(metavar="TRUST", help="The trust file, such as signing/trust.yaml.")]
FileOption = Annotated[Path, typer.Option("--trust", help="The trust file.")]
DEFAULT_FILE = Path("signing/trust.yaml")


def read_maintained(file: Path) -> Loaded[TrustDocument]:
    """A trust file, for whoever may make one where there is none.

    Raises:
        InputError: `trust.*`.
    """
    from audit_pipeline.seal.trust.file import read_trust

    try:
        return read_trust(file)
    except InputError as error:
        if error.code != "trust.not-found":
            raise
        raise InputError(
            error.code,
            error.what,
            where=error.where,
            hint="give its path, or make a first one with `audit keys trust init`",
        ) from None


def renewal_advice(file: Path, document: TrustDocument, at: str) -> str | None:
    """What to do about the file's last day; None where it is far."""
    from audit_pipeline.seal.trust.expiry import expiry_warning

    warning = expiry_warning(document, at)
    return warning and f"{warning} (audit keys trust renew {shlex.quote(str(file))} --expires …)"
