"""`audit keys list`: a trust file as those who maintain it look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.trust_file import DEFAULT_FILE, FileOption, read_maintained, renewal_advice

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table

    from audit_pipeline.seal.trust.listing import ListedKey
    from audit_pipeline.seal.trust.schema import TrustDocument

_NARROW_COLUMNS = 100
_SHORT_DIGITS = 16


def list_(file: FileOption = DEFAULT_FILE, as_json: JsonFlag = False) -> None:
    """Show the trust file's keys: name, kind, roles, fingerprint, state. Not whether to believe it."""
    from rich.console import Group
    from rich.text import Text

    from audit_pipeline.seal.trust.envelope import envelope_path, read_envelope
    from audit_pipeline.seal.trust.listing import listed_keys, root_signers

    loaded, at = read_maintained(file), now()
    document, keys = loaded.value, listed_keys(loaded.value, at)
    by = list(root_signers(loaded, read_envelope(file), at, where=str(envelope_path(file))))
    roles = document.roles.given()
    warning = renewal_advice(file, document, at)
    lines = [
        f"{document.name}, serial {document.serial}, expires {document.expires}",
        *([warning] if warning else []),
        "must sign: " + ", ".join(f"{name} {role.threshold} of {len(role.keys)}" for name, role in roles.items()),
        *_approving(document),
        f"signed by {', '.join(by) or 'nobody'}, by the file's own word: who relies on it gives --root",
        *_revocations(keys),
    ]
    result = {
        "name": document.name,
        "serial": document.serial,
        "expires": document.expires,
        "warning": warning,
        "sha256": loaded.sha256,
        "thresholds": {name: role.threshold for name, role in roles.items()},
        "approvers": {role: list(names) for role, names in document.approvers.items()},
        "log": document.log.model_dump(mode="json") if document.log else None,
        "signed_by": by,
        "keys": [row.to_json() for row in keys],
    }
    show(result, Group(_Keys(keys), "", *(Text(line) for line in lines)), as_json=as_json)


@dataclass(frozen=True)
class _Keys:
    """The keys as wide as the console has room for: whole fingerprints in a table, or cut ones below each name."""

    rows: Sequence[ListedKey]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        if options.max_width >= _NARROW_COLUMNS:
            yield _table(self.rows)
            return
        for row in self.rows:
            yield Text(f"{row.name or '–'}  {row.kind or '–'}  {row.state}")
            yield Text(f"  {', '.join(row.roles) or '–'}")
            yield Text(f"  {row.fingerprint[:_SHORT_DIGITS]}…")


def _table(rows: Sequence[ListedKey]) -> Table:
    from rich.table import Column, Table
    from rich.text import Text

    table = Table("name", "kind", "roles", "state", Column("fingerprint", no_wrap=True), box=None, pad_edge=False)
    for row in rows:
        cells = (row.name or "–", row.kind or "–", ", ".join(row.roles) or "–", row.state, row.fingerprint)
        table.add_row(*(Text(cell, overflow="fold") for cell in cells))
    return table


def _approving(document: TrustDocument) -> list[str]:
    lines = [f"may approve as {role}: {', '.join(names)}" for role, names in document.approvers.items()]
    if document.log is None:
        return lines
    seen = document.log.witnesses
    witnesses = f"{seen.threshold} of {len(seen.keys)} witnesses" if seen else "no witness"
    return [*lines, f"log: {document.log.key}, with {witnesses}"]


def _revocations(rows: Sequence[ListedKey]) -> list[str]:
    return [
        f"revoked {row.name or row.fingerprint[:_SHORT_DIGITS] + '…'} {row.revoked.at}: {row.revoked.reason}"
        for row in rows
        if row.revoked
    ]
